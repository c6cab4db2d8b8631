// Makes elements, talks to the sandbox, formats values.

/** An element with attributes and children. Texts are never read as HTML. */
export function el(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split('.');
  const element = document.createElement(tag || 'div');
  if (classes.length) element.className = classes.join(' ');
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (key in element && typeof value !== 'string') element[key] = value;
    else element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Shows a message in the header. */
export function status(text, isBad = false) {
  const line = document.getElementById('status');
  if (!line) return;
  line.textContent = text;
  line.classList.toggle('bad', isBad);
}

/** A request to the sandbox; the response as JSON. Errors are shown and thrown. */
export async function api(path, method = 'GET', body = undefined) {
  let response;
  try {
    response = await fetch('api/' + path, {
      method,
      headers: method === 'GET' ? {} : { 'content-type': 'application/json' },
      body: method === 'GET' ? undefined : JSON.stringify(body ?? null),
    });
  } catch (error) {
    status('The sandbox does not respond.', true);
    throw error;
  }
  const json = await response.json();
  if (!response.ok) {
    status(json.error, true);
    throw new Error(json.error);
  }
  return json;
}

/** A text with `code` in it. */
export function prose(text) {
  return (text ?? '').split('`').map((part, index) => (index % 2 ? el('code', {}, part) : part));
}

/** A time of the day with milliseconds. */
export function clock(millis) {
  const date = new Date(millis);
  return date.toLocaleTimeString([], { hour12: false }) + '.' + String(date.getMilliseconds()).padStart(3, '0');
}

/** A duration in a fitting unit. */
export function duration(micros) {
  if (micros === null || micros === undefined) return '';
  if (micros < 1000) return micros + ' µs';
  return micros < 1e6 ? (micros / 1000).toFixed(1) + ' ms' : (micros / 1e6).toFixed(2) + ' s';
}

/** JSON with indents; anything else as it is. */
export function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** Names of venues as people write them. */
export function venueName(venue) {
  const names = { kalshi_perps: 'Kalshi Perps' };
  return names[venue] ?? venue.charAt(0).toUpperCase() + venue.slice(1);
}

/** A button that copies a text. */
export function copyButton(text) {
  const button = el('button.quiet.copy', { type: 'button' }, 'Copy');
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(text());
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, 1200);
  });
  return button;
}

/** A list of tabs with arrow keys: [label, make] pairs. */
export function tabs(label, choices) {
  const panel = el('div', { role: 'tabpanel', tabindex: '0' });
  const buttons = choices.map(([name, make], index) => el('button', {
    type: 'button', role: 'tab', onclick: () => select(index),
    onkeydown: (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) select((index + step + choices.length) % choices.length, true);
    },
  }, name));
  function select(chosen, focus = false) {
    buttons.forEach((button, index) => {
      button.setAttribute('aria-selected', String(index === chosen));
      button.tabIndex = index === chosen ? 0 : -1;
    });
    panel.setAttribute('aria-label', choices[chosen][0]);
    panel.replaceChildren(choices[chosen][1]());
    if (focus) buttons[chosen].focus();
  }
  select(0);
  return el('div', {}, el('div.tabs', { role: 'tablist', 'aria-label': label }, buttons), panel);
}
