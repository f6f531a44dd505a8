// Draws the bar of filters above a list: see filter_bar.py. Kept views are in this browser alone.
const KEPT = "dayfly-views:";
// Half of a character, as a broken paste leaves it, can be sent to nobody: it becomes the sign for such.
const whole = (text) => text.replace(/\p{Surrogate}/gu, "\ufffd");

export default {
  template: `
    <div class="filters" role="group" aria-label="Filters">
      <div class="filters-line">
        <div v-if="quick.length" class="segments" role="group" :aria-label="labelOf(quickKey)">
          <button v-for="[label, value] in quick" :key="label" type="button" :aria-pressed="(values[quickKey] || '') === value ? 'true' : 'false'" @click="set(quickKey, value)">{{ label }}</button>
        </div>
        <button ref="opener" type="button" class="button" :aria-expanded="open ? 'true' : 'false'" aria-controls="filters-panel" @click="toggle">Filter <kbd>f</kbd></button>
        <span v-for="f in chips" :key="f.key" class="filter-chip"><span><b>{{ f.label }}</b> {{ shown(f) }}</span><button type="button" :aria-label="'Remove filter ' + f.label" @click="set(f.key, '')">×</button></span>
        <button v-if="any" type="button" class="plain" @click="$emit('change', {})">Clear</button>
        <span class="spacer"></span>
        <span class="views">
          <button ref="viewer" type="button" class="button" :aria-expanded="viewing ? 'true' : 'false'" @click="viewing = !viewing; open = false">Views</button>
          <div v-if="viewing" class="views-panel card" role="dialog" aria-label="Kept views" @keydown.esc.stop="viewing = false; $refs.viewer.focus()">
            <p v-if="!kept.length" class="faint">No view is kept yet. A view is this list with its filters and its order, kept in this browser.</p>
            <ul v-else><li v-for="(v, n) in kept" :key="v.name"><button type="button" class="plain" @click="use(v)">{{ v.name }}</button><button type="button" class="plain" :aria-label="'Forget view ' + v.name" @click="forget(n)">×</button></li></ul>
            <form class="views-new" @submit.prevent="keep"><input class="field" v-model="name" aria-label="Name of the view" placeholder="Name this view" maxlength="60"><button type="submit" class="small" :disabled="!name.trim()">Keep</button></form>
            <button type="button" class="small" :data-copy="address()">Copy the address</button>
          </div>
        </span>
      </div>
      <form v-if="open" id="filters-panel" class="filters-panel card" @submit.prevent="apply" @keydown.esc.stop="toggle">
        <label v-for="f in fields.filter((one) => one.key !== quickKey)" :key="f.key"><span>{{ f.label }}</span>
          <select v-if="f.choices.length" class="field" v-model="draft[f.key]"><option value="">–</option><option v-for="c in f.choices" :key="c" :value="c">{{ c }}</option></select>
          <input v-else class="field" v-model="draft[f.key]" :placeholder="f.hint" :list="f.known.length ? 'known-' + f.key : undefined" autocomplete="off" spellcheck="false">
          <datalist v-if="f.known.length" :id="'known-' + f.key"><option v-for="k in f.known" :key="k" :value="k"></option></datalist>
        </label>
        <div class="filters-end"><button type="submit" class="button main-one">Show</button><button type="button" class="button" @click="toggle">Cancel</button><small>Inputs are found by short single values: texts, numbers, truth values, dates, choices.</small></div>
      </form>
      <p v-if="problem" class="problem" role="alert">{{ problem }}</p>
    </div>`,
  props: { fields: Array, values: Object, quick: Array, quickKey: String, problem: String },
  emits: ["change"],
  data: () => ({ open: false, viewing: false, draft: {}, kept: [], name: "" }),
  computed: {
    chips() {
      const quick = this.quick.some(([, value]) => value === this.values[this.quickKey]);
      return this.fields.filter((f) => this.values[f.key] && !(f.key === this.quickKey && quick));
    },
    any() { return this.fields.some((f) => this.values[f.key]); },
  },
  mounted() {
    document.addEventListener("dayfly-key", this.key);
    (window.dayflyKeys ||= []).push(["f", "Filter the list"]);
    try { this.kept = JSON.parse(localStorage.getItem(KEPT + location.pathname)) || []; } catch { this.kept = []; }
  },
  unmounted() { document.removeEventListener("dayfly-key", this.key); },
  methods: {
    key(event) { if (event.detail === "f") { event.preventDefault(); this.toggle(); } },
    labelOf(key) { return this.fields.find((f) => f.key === key)?.label || ""; },
    shown(f) { return this.values[f.key]; },
    address() { const query = new URLSearchParams(this.values); return location.origin + location.pathname + (query.size ? `?${query}` : ""); },
    toggle() {
      this.open = !this.open;
      this.viewing = false;
      this.draft = { ...this.values };
      this.$nextTick(() => (this.open ? this.$el.querySelector(".filters-panel .field") : this.$refs.opener)?.focus());
    },
    tell(values) { this.$emit("change", Object.fromEntries(Object.entries(values).filter(([, value]) => value && value.trim()).map(([key, value]) => [key, whole(value)]))); },
    set(key, value) { this.tell({ ...this.values, [key]: value }); },
    apply() { this.tell(this.draft); this.toggle(); },
    keep() {
      const name = this.name.trim();
      this.kept = [...this.kept.filter((v) => v.name !== name), { name, query: location.search }];
      this.store();
      this.name = "";
    },
    forget(at) { this.kept.splice(at, 1); this.store(); },
    store() { localStorage.setItem(KEPT + location.pathname, JSON.stringify(this.kept)); },
    use(view) { this.viewing = false; this.tell(Object.fromEntries(new URLSearchParams(view.query))); },
  },
};
