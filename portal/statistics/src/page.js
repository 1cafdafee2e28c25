// SPDX-License-Identifier: EUPL-1.2

// Elements of the page. Text goes in as text, never as markup.

// element makes an element with attributes and children.
export function element(name, attributes = {}, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) e.addEventListener(key.slice(2), value);
    else if (value === true) e.setAttribute(key, '');
    else if (value !== false && value !== undefined) e.setAttribute(key, value);
  }
  e.append(...children.filter((c) => c !== undefined && c !== null));
  return e;
}

// unseen is text for those who hear the page.
export function unseen(text) {
  return element('span', { class: 'unseen' }, text);
}

// choice is a labelled list. Options are pairs of value and text, or groups of them: a name and a list.
export function choice(label, options, value, onchange) {
  const one = ([v, text]) => (Array.isArray(text) ? element('optgroup', { label: v }, ...text.map(one)) : element('option', { value: v }, text));
  const select = element('select', { onchange: (event) => onchange(event.target.value) }, ...options.map(one));
  select.value = value;
  return element('label', {}, element('span', {}, label), select);
}
