// The launch form: draws fields by their shapes, keeps what they hold, uploads files. See form.py and shapes.py.
const FILES = 2000; // In one directory.
const DRAFT = "dayfly-launch:";
const BYTES = 5 * 2 ** 30; // Of one file: what object stores take at once.

// Half of a character, as a broken paste leaves it, can be sent to nobody: it becomes the sign for such.
const whole = (text) => text.replace(/\p{Surrogate}/gu, "\ufffd");
const copy = (value) => JSON.parse(JSON.stringify(value ?? null), (_, one) => (typeof one === "string" ? whole(one) : one));
const blank = (shape, required = true) => {
  if (!required) return null;
  if (shape.kind === "list" || shape.kind === "map") return [];
  if (shape.kind === "record") return copy(shape.blank);
  if (shape.kind === "union") return { variant: 0, value: blank(shape.variants[0].shape) };
  return null;
};
const SIMPLE = { int: "Whole number", float: "Number", text: "Text", datetime: "2026-01-31T14:00:00Z", duration: "1h30m", dataset: "s3://bucket/path" };

const Field = {
  name: "DfField",
  props: { shape: Object, value: null, path: String, label: String, required: Boolean, place: String },
  emits: ["set"],
  inject: ["form"],
  template: `
    <div class="df" :class="'df-' + shape.kind">
      <p v-if="shape.kind === 'refused'" class="df-why">{{ shape.why }}</p>
      <p v-else-if="shape.kind === 'none'" class="df-why">No value.</p>
      <template v-else-if="value === null && isDeep"><button type="button" class="small" :id="id" :aria-label="'Set ' + label" @click="$emit('set', blank(shape))">Set</button></template>
      <template v-else-if="shape.kind === 'bool'">
        <div class="df-row" role="radiogroup" :aria-label="label" :aria-describedby="error ? id + '-e' : undefined" :id="id" tabindex="-1">
          <label v-for="one in [true, false]" :key="one"><input type="radio" :name="id" :checked="value === one" @change="$emit('set', one)">{{ one ? 'Yes' : 'No' }}</label>
        </div>
      </template>
      <select v-else-if="shape.kind === 'choice'" class="field" v-bind="told" :value="value ?? ''" @change="$emit('set', $event.target.value || null)">
        <option value="">{{ place || 'Choose…' }}</option>
        <option v-for="one in shape.options" :key="one" :value="one">{{ one }}</option>
      </select>
      <textarea v-else-if="shape.kind === 'json' || lines" class="field mono" rows="4" spellcheck="false" v-bind="told" :placeholder="place || (shape.kind === 'json' ? 'JSON' : '')" :value="value ?? ''" @input="typed"></textarea>
      <div v-else-if="shape.kind === 'datetime'" class="df-row">
        <input class="field" type="text" v-bind="told" :placeholder="place || hint" :value="value ?? ''" @input="typed">
        <button type="button" class="small" :aria-label="'Now for ' + label" @click="$emit('set', new Date().toISOString().slice(0, 19) + 'Z')">Now</button><small>UTC</small>
      </div>
      <div v-else-if="shape.kind === 'file' || shape.kind === 'directory'" class="df-upload">
        <div class="df-row"><input class="field" type="text" v-bind="told" placeholder="s3://bucket/path, or upload" :value="value ?? ''" @input="typed">
          <button type="button" class="small" :disabled="!!sent" @click="$refs.pick.click()" :aria-label="'Upload ' + label">Upload {{ shape.kind }}</button></div>
        <input ref="pick" class="df-pick" type="file" tabindex="-1" :aria-label="'Files of ' + label" :webkitdirectory="shape.kind === 'directory' ? '' : undefined" :multiple="shape.kind === 'directory'" @change="upload($event)">
        <div v-if="sent" class="df-row"><progress :value="sent.done" :max="sent.all || 1" :aria-label="'Upload of ' + label"></progress><small role="status">{{ sent.name }}</small><button type="button" class="small" @click="sent.stop()">Stop</button></div>
        <small v-if="failed" class="df-error" role="alert">{{ failed }}</small>
      </div>
      <div v-else-if="shape.kind === 'list'" class="df-many" role="group" :aria-label="label" :id="id" tabindex="-1">
        <div v-for="(one, n) in value" :key="n" class="df-item">
          <DfField :shape="shape.item" :value="one" :path="path + '/' + n" :label="label + ' ' + (n + 1)" required @set="put(n, $event)"></DfField>
          <button type="button" class="small df-away" :aria-label="'Remove ' + label + ' ' + (n + 1)" @click="$emit('set', value.filter((_, at) => at !== n))">✕</button>
        </div>
        <button type="button" class="small" :aria-label="'Add to ' + label" @click="add(blank(shape.item))">+ Add</button><small v-if="!value.length">Empty list</small>
      </div>
      <div v-else-if="shape.kind === 'map'" class="df-many" role="group" :aria-label="label" :id="id" tabindex="-1">
        <div v-for="(one, n) in value" :key="n" class="df-item df-pair">
          <div><input class="field" type="text" placeholder="Name" v-bind="about(path + '/' + n + '/key', label + ' name ' + (n + 1))" :value="one[0]" @input="put(n, [$event.target.value, one[1]])"><small v-if="form.errors[path + '/' + n + '/key']" class="df-error" :id="form.id(path + '/' + n + '/key') + '-e'">{{ form.errors[path + '/' + n + '/key'] }}</small></div>
          <DfField :shape="shape.item" :value="one[1]" :path="path + '/' + n + '/value'" :label="label + ' value ' + (n + 1)" required @set="put(n, [one[0], $event])"></DfField>
          <button type="button" class="small df-away" :aria-label="'Remove ' + label + ' ' + (n + 1)" @click="$emit('set', value.filter((_, at) => at !== n))">✕</button>
        </div>
        <button type="button" class="small" :aria-label="'Add to ' + label" @click="add(['', blank(shape.item)])">+ Add</button><small v-if="!value.length">Empty</small>
      </div>
      <div v-else-if="shape.kind === 'union'" class="df-union">
        <select class="field df-variant" :aria-label="'Type of ' + label" :id="id" :value="value.variant" @change="choose(+$event.target.value)">
          <option v-for="(one, n) in shape.variants" :key="n" :value="n">{{ one.label }}</option>
        </select>
        <DfField :key="value.variant" :shape="shape.variants[value.variant].shape" :value="value.value" :path="path + '/value'" :label="label" required @set="$emit('set', { variant: value.variant, value: $event })"></DfField>
      </div>
      <fieldset v-else-if="shape.kind === 'record'" class="df-fields" :id="id" :aria-label="label" tabindex="-1">
        <div v-for="f in shape.fields" :key="f.name" class="df-line">
          <label :for="form.id(path + '/' + f.name)">{{ f.label || f.name }}<b v-if="f.required" aria-hidden="true"> *</b></label>
          <div class="df-cell"><DfField :shape="f.shape" :value="value[f.name] ?? null" :path="path + '/' + f.name" :label="label + ' ' + (f.label || f.name)" :required="f.required || 'default' in f" :place="f.place" @set="$emit('set', { ...value, [f.name]: $event })"></DfField><small v-if="f.help">{{ f.help }}</small></div>
        </div>
      </fieldset>
      <input v-else class="field" :class="{num: shape.kind === 'int' || shape.kind === 'float'}" type="text" :inputmode="shape.kind === 'int' ? 'numeric' : undefined" v-bind="told" :placeholder="place || hint" :value="value ?? ''" @input="typed">
      <button v-if="!required && value !== null && isDeep" type="button" class="small df-leave" :aria-label="'Leave out ' + label" @click="$emit('set', null)">Leave out</button>
      <small v-if="error" class="df-error" :id="id + '-e'">{{ error }}</small>
    </div>`,
  data: () => ({ sent: null, failed: "" }),
  computed: {
    id() { return this.form.id(this.path); },
    error() { return this.form.errors[this.path]; },
    hint() { return SIMPLE[this.shape.kind] || ""; },
    told() { return this.about(this.path, this.label); },
    lines() { return this.shape.kind === "text" && (this.value || "").includes("\n"); },
    isDeep() { return ["list", "map", "record", "union"].includes(this.shape.kind); },
  },
  methods: {
    about(path, label) {
      const wrong = this.form.errors[path];
      return { id: this.form.id(path), "aria-label": label, "aria-invalid": wrong ? "true" : undefined, "aria-describedby": wrong ? this.form.id(path) + "-e" : undefined };
    },
    blank,
    typed(event) {
      const text = event.target.value;
      // Text that was typed and taken away again is empty text; for all else it is nothing.
      this.$emit("set", text === "" && this.shape.kind !== "text" ? null : text === "" && !this.required ? null : text);
    },
    put(at, one) { this.$emit("set", this.value.map((old, n) => (n === at ? one : old))); },
    add(one) {
      this.$emit("set", [...this.value, one]);
      this.$nextTick(() => [...this.$el.querySelectorAll(":scope > .df-many > .df-item")].pop()?.querySelector("input, select, textarea")?.focus());
    },
    choose(n) { this.$emit("set", { variant: n, value: blank(this.shape.variants[n].shape) }); },
    async upload(event) {
      const files = [...event.target.files];
      event.target.value = "";
      if (!files.length) return;
      this.failed = "";
      try {
        this.$emit("set", await this.form.upload(files, this.shape.kind === "directory", (sent) => (this.sent = sent)));
      } catch (error) {
        this.failed = error.message;
      }
      this.sent = null;
    },
  },
};

export default {
  components: { DfField: Field },
  template: `
    <form class="launch" novalidate @submit.prevent="launch" @keydown.ctrl.enter="launch" @keydown.meta.enter="launch">
      <div v-if="problem.told" class="problem" role="alert" tabindex="-1" ref="problem"><p>{{ problem.told }}</p><p v-if="problem.remedy" class="remedy">{{ problem.remedy }}</p></div>
      <div v-if="versions.length" class="launch-version row-of"><label :for="id('version')">Version</label>
        <select class="field mono" :id="id('version')" :value="version" @change="$emit('version', { version: $event.target.value, ...given() })"><option v-for="v in versions" :key="v.value" :value="v.value">{{ v.label }}</option></select></div>
      <section class="card launch-inputs" aria-labelledby="df-inputs"><h2 id="df-inputs">Inputs</h2>
        <p v-if="!fields.length && !fixed.length" class="faint">It takes no inputs.</p>
        <div v-for="f in fields" :key="f.name + generation" class="launch-field">
          <div class="launch-name"><label :for="id('inputs/' + f.name)">{{ f.name }}<b v-if="f.required" title="required"> *</b></label><small>{{ f.type }}</small></div>
          <div class="launch-value">
            <p v-if="f.help" class="launch-help">{{ f.help }}</p>
            <p v-if="isKept(f)" class="launch-kept">{{ inputs[f.name].kept }} <button v-if="f.shape.kind !== 'refused'" type="button" class="small" @click="inputs[f.name] = blankOf(f)">Change</button></p>
            <DfField v-else :shape="f.shape" :value="inputs[f.name]" :path="'inputs/' + f.name" :label="f.name" :required="f.required || values[f.name] !== null" :place="f.required ? '' : 'Left out'" @set="inputs[f.name] = $event"></DfField>
          </div>
          <button v-if="differs(f)" type="button" class="small launch-reset" :aria-label="'Reset ' + f.name" title="As it was at first" @click="reset(f)">Reset</button>
        </div>
        <div v-for="f in fixed" :key="f.name" class="launch-field"><div class="launch-name"><span>{{ f.name }}</span><small>{{ f.type }}</small></div>
          <div class="launch-value"><p class="launch-kept"><code>{{ f.text }}</code> <small>Fixed by the launch plan</small></p></div></div>
      </section>
      <details class="card launch-options" ref="options"><summary>Options <small>name, labels, cache, parallelism, environment …</small></summary>
        <DfField :shape="optionShape" :value="options" path="options" label="Option" required @set="options = $event"></DfField>
      </details>
      <div class="launch-bar">
        <button type="submit" class="button main-one" :disabled="busy">{{ busy ? 'Launching…' : 'Launch' }}</button>
        <button type="button" class="button" @click="$emit('copy', given())">Copy as code</button>
        <small>* required · <kbd>Ctrl</kbd> <kbd>Enter</kbd> launches</small>
      </div>
    </form>`,
  props: { fields: Array, fixed: Array, values: Object, optionShape: Object, optionValues: Object, generation: Number, errors: Object, problem: Object, busy: Boolean, answered: Number, project: String, domain: String, versions: Array, version: String },
  emits: ["launch", "copy", "version"],
  provide() { return { form: this }; },
  data() { return this.recall() || { inputs: copy(this.values), options: copy(this.optionValues) }; },
  mounted() { addEventListener("pagehide", this.remember); },
  unmounted() { removeEventListener("pagehide", this.remember); },
  watch: {
    // Another version: what the server says of all fields, which knows what was filled in.
    generation() { this.inputs = copy(this.values); this.options = copy(this.optionValues); },
    answered() { this.$nextTick(this.lead); },
  },
  methods: {
    id(path) { return "df-" + path.replace(/[^A-Za-z0-9_-]/g, (c) => "_" + c.charCodeAt(0)); },
    given() { return { inputs: copy(this.inputs), options: copy(this.options) }; },
    current() { return this.given(); },
    // What was filled in outlives this page where it is loaded again, as it is when the server begins anew.
    draft() { return DRAFT + location.pathname + location.search; },
    filled() { return JSON.stringify([this.version, this.fields, this.fixed]); },
    remember() {
      try {
        if (this.busy) sessionStorage.removeItem(this.draft()); // It was launched.
        else sessionStorage.setItem(this.draft(), JSON.stringify({ form: this.filled(), ...this.given() }));
      } catch { /* Too large, or not allowed: then it is not kept. */ }
    },
    recall() {
      try {
        const { form, inputs, options } = JSON.parse(sessionStorage.getItem(this.draft()));
        return form === this.filled() ? { inputs, options } : null;
      } catch { return null; }
    },
    blankOf(f) { return blank(f.shape, f.required); },
    isKept(f) { const v = this.inputs[f.name]; return v !== null && typeof v === "object" && "kept" in v; },
    differs(f) { return JSON.stringify(this.inputs[f.name] ?? null) !== JSON.stringify(this.values[f.name] ?? null); },
    reset(f) { this.inputs[f.name] = copy(this.values[f.name]); },
    launch() { if (!this.busy) this.$emit("launch", this.given()); },
    // Where something is wrong, the first field of it is where one goes on.
    lead() {
      const wrong = Object.keys(this.errors);
      if (wrong.some((path) => path.startsWith("options"))) this.$refs.options.open = true;
      if (!wrong.length) return this.$refs.problem?.focus();
      this.$nextTick(() => {
        const first = this.$el.querySelector("[aria-invalid]") || document.getElementById(this.id(wrong[0]));
        first?.focus();
        first?.scrollIntoView({ block: "center" });
      });
    },
    async upload(files, whole, tell) {
      if (files.length > FILES) throw new Error(`A directory of ${files.length} files: at most ${FILES} can be uploaded here. Put it into a store, and give its address.`);
      const large = files.find((one) => one.size > BYTES);
      if (large) throw new Error(`${large.name} is larger than 5 GiB. Put it into a store, and give its address.`);
      const root = Array.from(crypto.getRandomValues(new Uint8Array(10)), (b) => b.toString(16).padStart(2, "0")).join("");
      const all = files.reduce((sum, one) => sum + one.size, 0);
      let before = 0, address = "", stopped = false, running = null;
      const stop = () => { stopped = true; running?.abort(); };
      for (const file of files) {
        if (stopped) break;
        const name = whole ? file.webkitRelativePath.split("/").slice(1).join("/") || file.name : file.name;
        const answer = await fetch("/api/v1/dataproxy/artifact_urn", {
          method: "POST", headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ project: this.project, domain: this.domain, filename: name, filename_root: root }),
        });
        const place = await answer.json();
        if (!answer.ok) throw new Error(`${name} cannot be uploaded: ${place.message || place.error || answer.statusText}`);
        const told = (done) => tell({ name: files.length > 1 ? `${name} (${files.indexOf(file) + 1} of ${files.length})` : name, done: before + done, all, stop });
        told(0);
        const native = place.nativeUrl || place.native_url;
        await new Promise((resolve, reject) => {
          // As a stream of the browser's own, with its progress: the file is never whole in memory.
          const request = (running = new XMLHttpRequest());
          const url = new URL(place.signedUrl || place.signed_url);
          request.open("PUT", url.pathname + url.search);
          request.upload.onprogress = (event) => told(event.loaded);
          request.onload = () => (request.status < 300 ? resolve() : reject(new Error(`${name} was not taken: ${request.status} ${request.responseText.slice(0, 300)}`)));
          request.onerror = () => reject(new Error(`${name} was not taken: the connection broke. Try again.`));
          request.onabort = () => reject(new Error("The upload was stopped; nothing is given."));
          request.send(file);
        });
        before += file.size;
        address = whole ? native.slice(0, native.length - name.length - 1) : native;
      }
      if (stopped) throw new Error("The upload was stopped; nothing is given.");
      return address;
    },
  },
};
