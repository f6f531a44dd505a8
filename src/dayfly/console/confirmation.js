// A dialog of the browser's own, open from the moment it is there: confirming.py.
export default {
  template: `
    <dialog class="dialog" :aria-label="title" @close="$emit('answer', answer)" @click.self="$refs.it.close()" ref="it">
      <h2>{{ title }}</h2>
      <p v-if="told">{{ told }}</p>
      <slot></slot>
      <div v-if="!bare" class="row-of dialog-answers">
        <button type="button" class="button" @click="$refs.it.close()" autofocus>{{ label ? 'Leave it' : 'Close' }}</button>
        <button v-if="label" type="button" class="button" :class="danger ? 'danger' : 'main-one'" @click="say">{{ label }}</button>
      </div>
    </dialog>`,
  props: { title: String, told: String, label: String, danger: Boolean, bare: Boolean },
  emits: ["answer"],
  data: () => ({ answer: false }),
  mounted() { this.$refs.it.showModal(); },
  methods: { say() { this.answer = true; this.$refs.it.close(); } },
};
