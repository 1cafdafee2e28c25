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

export function choice(label, options, value, onchange) {
  const select = element('select', { onchange: (event) => onchange(event.target.value) }, ...options.map(([v, text]) => element('option', { value: v }, text)));
  select.value = value;
  return element('label', {}, element('span', {}, label), select);
}
