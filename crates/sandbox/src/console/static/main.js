// The page: one view at a time, chosen by the fragment of the URL.

import { api, status } from './dom.js';
import { startLog } from './log.js';
import { openReference, useTools } from './reference.js';
import { closeState, openState } from './state.js';
import { tryItForm } from './try-it.js';

const views = ['log', 'reference', 'state'];
const samples = new Map();
let open = '';

useTools({
  base: () => location.origin,
  async load() {
    const venues = await api('venues');
    const byVenue = (member) => Object.fromEntries(venues.map((one) => [one.venue, one[member]]));
    const stateful = Object.fromEntries(venues.map((one) => [one.venue, new Set(one.stateful)]));
    useTools({ stateful, tryIt: tryItForm(byVenue('credentials')) });
    return Promise.all(venues.map(async ({ venue }) => [venue, await api('spec/' + venue)]));
  },
  async extras({ venue }) {
    if (!samples.has(venue)) samples.set(venue, api('examples/' + venue));
    return { samples: await samples.get(venue) };
  },
});

function show() {
  const [view, ...rest] = decodeURIComponent(location.hash.slice(1)).split('/');
  const chosen = views.includes(view) ? view : 'log';
  for (const name of views) document.getElementById(name).hidden = name !== chosen;
  for (const link of document.querySelectorAll('header nav a')) {
    if (link.dataset.view === chosen) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = chosen.charAt(0).toUpperCase() + chosen.slice(1) + ' · venuekit sandbox';
  status('');
  if (chosen !== open) scrollTo(0, 0);
  open = chosen;
  if (chosen === 'reference') openReference(document.getElementById('reference'), rest);
  if (chosen === 'state') openState(document.getElementById('state'));
  else closeState();
}

startLog(document.getElementById('log'));
addEventListener('hashchange', show);
show();
