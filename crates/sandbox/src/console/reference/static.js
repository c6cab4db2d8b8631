// The reference without a sandbox: the entry of the static pages that `cargo xtask reference` writes.

import { openReference, useTools } from './reference.js';

useTools({
  base: ({ document }) => new URL(document.servers[0].url).origin,
  load: async () => Object.entries(globalThis.venuekitSpecs),
});

const open = () => openReference(document.getElementById('reference'), decodeURIComponent(location.hash.slice(1)).split('/').slice(1));
addEventListener('hashchange', open);
open();
