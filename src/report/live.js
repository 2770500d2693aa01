'use strict';
/** Follows the run that the page is of, for as long as it is open. */
(() => {
  const line = document.getElementById('live');
  // Only what is news is read aloud.
  const [status, clock] = line.children;
  const known = new Map();
  document.querySelectorAll('[data-part]').forEach((part) => known.set(part.dataset.part, part.innerHTML));
  let { state, age } = page.data;
  let told = Date.now();
  let connected = true;

  const since = (seconds) => (seconds < 100 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`);
  const words = () => {
    if (!connected && state !== 'ended') return ['lost', 'uphill watch does not answer; this page asks again every few seconds.'];
    if (state === 'ended') return ['done', 'Training has ended.'];
    if (state === 'interrupted') return ['done', 'Training was interrupted. Once it is resumed, this page goes on with it.'];
    if (age === null) return ['on', 'Training has not written its first row yet.'];
    const seconds = age + (Date.now() - told) / 1000;
    if (seconds < 60) return ['on', 'Training goes on.', `The last row came ${since(seconds)} ago.`];
    return ['lost', 'An update takes long, or training was broken off.', `The last row came ${since(seconds)} ago.`];
  };
  const say = () => {
    const [look, text, more = ''] = words();
    line.className = look;
    if (status.textContent !== text) status.textContent = text;
    clock.textContent = more;
  };

  const show = (event) => {
    ({ state, age } = event);
    told = Date.now();
    document.title = event.title;
    document.querySelector('h1').textContent = event.title;
    document.querySelectorAll('[data-part]').forEach((part) => {
      const now = event.parts[part.dataset.part];
      if (known.get(part.dataset.part) === now) return;
      known.set(part.dataset.part, now);
      const open = part.querySelector('details[open]') !== null;
      part.innerHTML = now;
      part.querySelectorAll('details').forEach((details) => {
        details.open = open;
      });
      page.use(part, event.replays);
    });
    page.redraw(event.charts);
  };

  const follow = () => {
    const source = new EventSource('events');
    source.onmessage = (message) => {
      connected = true;
      show(JSON.parse(message.data));
      say();
    };
    source.onopen = () => {
      connected = true;
      say();
    };
    source.onerror = () => {
      connected = false;
      say();
      // Of answers that are no events a browser does not ask again by itself.
      if (source.readyState === EventSource.CLOSED) setTimeout(follow, 3000);
    };
  };
  follow();
  say();
  setInterval(say, 1000);
})();
