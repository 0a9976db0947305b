// Elements, without HTML in strings.

/**
 * @param {string} tag with classes, such as `div.row.wide`
 * @param {Object<string, any>} [properties] attributes; functions become listeners: { onclick: f }
 * @param {...(Node | string | null)} children
 * @returns {any}
 */
export function make(tag, properties = {}, ...children) {
  const [name, ...classes] = tag.split('.');
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(' ');
  for (const [key, value] of Object.entries(properties)) {
    if (typeof value === 'function') element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, String(value));
  }
  element.append(...children.filter((one) => one !== null));
  return element;
}

/** @param {string} id @returns {any} */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element ${id}`);
  return found;
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let hiding;
/** @param {string} text shown for some seconds */
export function toast(text) {
  const place = byId('toast');
  place.textContent = text;
  place.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => { place.hidden = true; }, 6000);
}

/**
 * Replace the children of an element when `key` has changed since the last time.
 * @param {HTMLElement} place @param {unknown} key @param {() => (Node | string | null)[]} build
 * @returns {boolean} whether it has
 */
export function renew(place, key, build) {
  const text = JSON.stringify(key);
  if (place.dataset.key === text) return false;
  place.dataset.key = text;
  place.replaceChildren(...build().filter((one) => one !== null));
  return true;
}

/** @param {number | null | undefined} seconds @returns {string} as photographers write it */
export function shutter(seconds) {
  if (!seconds) return '';
  return seconds >= 0.3 ? `${Number(seconds.toPrecision(2))} s` : `1/${Math.round(1 / seconds)}`;
}

/** @param {number} stops @returns {string} */
export function ev(stops) {
  return `${stops >= 0 ? '+' : '−'}${Math.abs(stops).toFixed(1)}`;
}

/**
 * A field for an option of the server. `changed` gets the new value, null = the default.
 * @param {import('./state.js').Option} option @param {any} value @param {(value: any) => void} changed
 */
export function field(option, value, changed) {
  const id = `option-${option.name}-${Math.random().toString(36).slice(2, 8)}`;
  const label = make('label', { for: id, title: option.help }, option.label);
  /** @type {any} */
  let input;
  if (option.kind === 'choice' || option.kind === 'yes-no') {
    const choices = option.kind === 'choice' ? option.choices : [['', 'Default (as needed)'], ['yes', 'Yes'], ['no', 'No']];
    input = make('select', { id, title: option.help });
    const now = typeof value === 'boolean' ? (value ? 'yes' : 'no') : value ?? '';
    for (const [name, text] of choices) {
      const shown = name && option.kind === 'choice' && text !== name && text.length > 18 ? `${name}: ${text}` : text;
      input.append(make('option', { value: name, selected: name === now }, shown));
    }
    input.addEventListener('change', () => {
      const chosen = input.value;
      changed(chosen === '' ? null : option.kind === 'yes-no' ? chosen === 'yes' : chosen);
    });
  } else if (option.kind === 'flag') {
    input = make('input', { id, type: 'checkbox', checked: value === true });
    input.addEventListener('change', () => changed(input.checked ? true : null));
    return make('div.field.check', {}, input, label);
  } else {
    const bounds = option.bounds.map((one) => (Math.abs(one) < 1e8 ? one : null));
    input = make('input', {
      id, type: option.kind === 'number' ? 'number' : 'text', step: 'any', min: bounds[0], max: bounds[1],
      value: Array.isArray(value) ? value.join(',') : value ?? '', placeholder: 'default', title: option.help,
    });
    input.addEventListener('change', () => {
      const text = input.value.trim();
      changed(text === '' ? null : option.kind === 'number' ? Number(text) : text);
    });
  }
  return make('div.field', {}, label, input);
}
