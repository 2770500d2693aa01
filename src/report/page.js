'use strict';
const page = (() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const hidden = new Set();
  const FRAMES_A_SECOND = 25;

  const minus = (text) => text.replace('-', '\u2212');
  const steps = (x) => Math.round(x).toLocaleString('en-US');
  const number = (x) => {
    const size = Math.abs(x);
    if (size === 0) return '0';
    return minus(size < 1e-3 || size >= 1e7 ? x.toExponential(2) : String(Number(x.toPrecision(4))));
  };
  const short = (x) => {
    for (const [unit, sign] of [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']]) {
      if (Math.abs(x) >= unit) return minus(Number((x / unit).toPrecision(4)) + sign);
    }
    return Math.abs(x) < 1e-3 && x !== 0 ? minus(x.toExponential()) : minus(String(Number(x.toPrecision(4))));
  };

  /** Round numbers within a range, about so many. */
  const ticks = (low, high, count) => {
    // Where neighbours are a rounding apart no step leads from one to the next.
    if (!(high - low > Math.max(Math.abs(low), Math.abs(high)) * 1e-9)) return [Number(low.toPrecision(12))];
    const rough = (high - low) / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999);
    const found = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i += 1) {
      found.push(Number((i * step).toPrecision(12)));
    }
    return found;
  };

  const svg = (name, attributes, parent, text) => {
    const made = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  };
  const html = (name, className, parent, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  };
  const look = (run) => `c${run % 8} d${Math.floor(run / 8)}`;

  /** The place of the point that is nearest to x; xs rise. */
  const nearest = (xs, x) => {
    let low = 0;
    let high = xs.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (xs[middle] > x) high = middle;
      else low = middle;
    }
    return Math.abs(xs[high] - x) < Math.abs(xs[low] - x) ? high : low;
  };

  class Chart {
    constructor(of, place, parent) {
      this.of = of;
      this.figure = html('figure', place === 0 ? 'chart wide' : 'chart', parent);
      this.figure.dataset.column = of.column;
      const head = html('h3', '', this.figure, of.title);
      if (of.threshold !== null) html('small', '', head, ` dashed: solved at ${number(of.threshold)}`);
      this.plot = svg('svg', { class: 'plot', tabindex: '0', role: 'img', 'aria-label': of.title }, this.figure);
      this.tip = html('div', 'tip', this.figure);
      this.tip.hidden = true;
      this.tip.setAttribute('aria-live', 'polite');
      this.wide = place === 0;
      const move = (event) => {
        if (this.x) point(this.x.back(event.clientX - this.plot.getBoundingClientRect().left), this);
      };
      this.plot.addEventListener('pointermove', move);
      this.plot.addEventListener('pointerdown', move);
      this.plot.addEventListener('pointerleave', () => point(null, null));
      this.plot.addEventListener('blur', () => point(null, null));
      this.plot.addEventListener('keydown', (event) => this.key(event));
    }

    shown() {
      return this.of.series.filter((series) => !hidden.has(series.run));
    }

    draw() {
      const width = Math.max(this.plot.clientWidth, 200);
      const height = this.wide ? Math.min(Math.max(width * 0.36, 220), 380) : 190;
      const room = { left: 50, right: 14, top: 8, bottom: 24 };
      this.plot.replaceChildren();
      this.plot.setAttribute('viewBox', `0 0 ${width} ${height}`);
      this.plot.setAttribute('height', height);
      const shown = this.shown();
      let low = Infinity;
      let high = -Infinity;
      let last = 0;
      for (const { x, y, spread } of shown) {
        last = Math.max(last, x[x.length - 1]);
        y.forEach((value, i) => {
          low = Math.min(low, value - (spread[i] || 0));
          high = Math.max(high, value + (spread[i] || 0));
        });
      }
      this.x = null;
      if (!shown.length) {
        svg('text', { x: width / 2, y: height / 2, 'text-anchor': 'middle' }, this.plot, 'no run is shown');
        return;
      }
      // A line that is far off would flatten all others.
      const threshold = this.of.threshold;
      if (threshold !== null && threshold - high < (high - low) * 3 && low - threshold < (high - low) * 3) {
        low = Math.min(low, threshold);
        high = Math.max(high, threshold);
      }
      const size = Math.max(Math.abs(low), Math.abs(high));
      const pad = high - low > size * 1e-6 ? (high - low) * 0.06 : size * 0.1 || 1;
      low -= pad;
      high += pad;
      last = last || 1;
      const [across, down] = [width - room.left - room.right, height - room.top - room.bottom];
      const x = (step) => room.left + (step / last) * across;
      x.back = (pixel) => Math.min(Math.max((pixel - room.left) / across, 0), 1) * last;
      const y = (value) => room.top + (1 - (value - low) / (high - low)) * down;
      for (const tick of ticks(low, high, this.wide ? 7 : 5)) {
        svg('path', { class: 'grid', d: `M${room.left} ${y(tick)}H${width - room.right}` }, this.plot);
        svg('text', { x: room.left - 6, y: y(tick) + 4, 'text-anchor': 'end' }, this.plot, short(tick));
      }
      for (const tick of ticks(0, last, Math.max(width / 130, 2))) {
        const anchor = x(tick) > width - 30 ? 'end' : 'middle';
        const at = anchor === 'end' ? width - 2 : x(tick);
        svg('text', { x: at, y: height - 6, 'text-anchor': anchor }, this.plot, short(tick));
      }
      if (threshold !== null && threshold >= low && threshold <= high) {
        svg('path', { class: 'threshold', d: `M${room.left} ${y(threshold)}H${width - room.right}` }, this.plot);
      }
      for (const series of shown) {
        const at = (i, off) => `${x(series.x[i]).toFixed(1)} ${y(series.y[i] + off).toFixed(1)}`;
        const all = series.x.map((_, i) => i);
        if (series.spread.length > 1) {
          const there = all.map((i) => at(i, series.spread[i])).join('L');
          const back = all.map((i) => at(i, -series.spread[i])).reverse().join('L');
          svg('path', { class: `spread c${series.run % 8}`, d: `M${there}L${back}Z` }, this.plot);
        }
        svg('path', { class: `line ${look(series.run)}`, 'data-run': series.run, d: `M${all.map((i) => at(i, 0)).join('L')}` }, this.plot);
        if (series.x.length === 1) {
          svg('circle', { class: `dot c${series.run % 8}`, cx: x(series.x[0]), cy: y(series.y[0]), r: 3 }, this.plot);
        }
      }
      const end = y(low);
      this.cursor = svg('path', { class: 'at', d: `M0 ${room.top}V${end}`, visibility: 'hidden' }, this.plot);
      this.dots = shown.map((series) => svg('circle', { class: `dot c${series.run % 8}`, r: 3.5, visibility: 'hidden' }, this.plot));
      this.x = x;
      this.y = y;
    }

    /** The line at these steps, and the values there where the pointer is. */
    show(step, here) {
      this.tip.hidden = true;
      if (!this.x) return;
      const seen = step === null ? 'hidden' : 'visible';
      this.cursor.setAttribute('visibility', seen);
      this.dots.forEach((dot) => dot.setAttribute('visibility', 'hidden'));
      if (step === null) return;
      this.cursor.setAttribute('transform', `translate(${this.x(step)} 0)`);
      const values = this.shown().map((series, place) => {
        const i = nearest(series.x, step);
        // Beyond its ends, but for half the way to a further point, a run has no value.
        const beside = series.x.length > 1 ? (series.x[series.x.length - 1] - series.x[0]) / (series.x.length - 1) / 2 : Infinity;
        const known = Math.abs(series.x[i] - step) <= beside || (step > series.x[0] && step < series.x[series.x.length - 1]);
        if (known) {
          this.dots[place].setAttribute('cx', this.x(series.x[i]));
          this.dots[place].setAttribute('cy', this.y(series.y[i]));
          this.dots[place].setAttribute('visibility', 'visible');
        }
        return { series, i, known };
      });
      if (!here) return;
      this.tip.replaceChildren();
      const only = values.length === 1 && values[0].known ? values[0].series.x[values[0].i] : step;
      html('div', '', this.tip, `at ${steps(only)} steps`);
      for (const { series, i, known } of values) {
        const row = html('div', `c${series.run % 8}`, this.tip);
        if (values.length > 1) html('span', '', row, series.name);
        const spread = series.spread.length ? ` \u00b1 ${number(series.spread[i])}` : '';
        html('b', '', row, known ? number(series.y[i]) + spread : '\u2013');
      }
      this.tip.hidden = false;
      // Beside the line, on the side that has more room.
      const line = this.plot.offsetLeft || 10;
      const [left, width] = [line + this.x(step), this.figure.clientWidth];
      this.tip.style.top = '40px';
      this.tip.style.left = left < width / 2 ? `${left + 12}px` : 'auto';
      this.tip.style.right = left < width / 2 ? 'auto' : `${width - left + 12}px`;
    }

    key(event) {
      const shown = this.shown();
      const longest = shown.reduce((most, series) => (series.x.length > most.length ? series.x : most), []);
      if (!this.x || !longest.length) return;
      const last = longest.length - 1;
      const now = at === null ? null : nearest(longest, at);
      const next = {
        ArrowRight: now === null ? 0 : Math.min(now + 1, last),
        ArrowLeft: now === null ? last : Math.max(now - 1, 0),
        Home: 0,
        End: last,
      }[event.key];
      if (event.key === 'Escape') point(null, null);
      if (next === undefined) return;
      event.preventDefault();
      point(longest[next], this);
    }
  }

  let at = null;
  let pointed = null;
  let charts = [];
  /** Shows these steps in every chart. */
  const point = (step, where) => {
    at = step;
    pointed = where;
    charts.forEach((chart) => chart.show(step, chart === where));
  };
  const draw = () => {
    charts.forEach((chart) => chart.draw());
    point(null, null);
  };
  /** Draws these charts, in those that there are where they are of the same. */
  const redraw = (all) => {
    const parent = document.getElementById('charts');
    if (!parent) return;
    const same = (of, i) => of.column === charts[i].of.column && of.threshold === charts[i].of.threshold;
    if (all.length === charts.length && all.every(same)) {
      const [step, where] = [at, pointed];
      charts.forEach((chart, i) => {
        chart.of = all[i];
      });
      draw();
      if (step !== null) point(step, where);
      return;
    }
    parent.replaceChildren();
    charts = all.map((of, place) => new Chart(of, place, parent));
    draw();
  };
  redraw(data.charts);
  let drawn = window.innerWidth;
  window.addEventListener('resize', () => {
    // On a telephone scrolling changes the height alone.
    if (window.innerWidth !== drawn) draw();
    drawn = window.innerWidth;
  });

  document.querySelectorAll('#legend button').forEach((button) => {
    button.addEventListener('click', () => {
      const run = Number(button.dataset.run);
      const shows = hidden.delete(run);
      if (!shows) hidden.add(run);
      button.setAttribute('aria-pressed', String(shows));
      draw();
    });
  });

  const sorts = (table) => {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      head.querySelector('button').addEventListener('click', () => {
        const falls = head.getAttribute('aria-sort') === 'ascending';
        heads.forEach((other) => other.removeAttribute('aria-sort'));
        head.setAttribute('aria-sort', falls ? 'descending' : 'ascending');
        const body = table.tBodies[0];
        const rows = [...body.rows].map((row) => {
          const { textContent: text, dataset } = row.cells[column];
          return { row, text, value: dataset.value === undefined ? NaN : Number(dataset.value) };
        });
        rows.sort((a, b) => {
          // What is not there comes last either way.
          if (!a.text || !b.text) return Number(!a.text) - Number(!b.text);
          const both = !Number.isNaN(a.value) && !Number.isNaN(b.value);
          const order = both ? a.value - b.value : a.text.localeCompare(b.text, 'en', { numeric: true });
          return falls ? -order : order;
        });
        body.append(...rows.map(({ row }) => row));
      });
    });
  };

  const plays = (figure, replays) => {
    const replay = replays[Number(figure.dataset.run)];
    const [canvas, play] = [figure.querySelector('canvas'), figure.querySelector('.play')];
    const [slider, output] = [figure.querySelector('input'), figure.querySelector('output')];
    const scale = 960 / Math.max(replay.width, replay.height);
    canvas.width = Math.round(replay.width * scale);
    canvas.height = Math.round(replay.height * scale);
    const context = canvas.getContext('2d');
    // A 0 alone stands for the shape that has this place in the frame before.
    const frames = [];
    replay.frames.forEach((frame, i) => {
      frames.push(frame.map((shape, place) => (shape.length === 1 ? frames[i - 1][place] : shape)));
    });
    let shown = [];
    const images = replay.images.map((url, at) => {
      const image = new Image();
      // One that comes to be known after it was painted is painted then.
      image.addEventListener('load', () => shown.includes(at) && paint(Number(slider.value)));
      image.src = url;
      return image;
    });
    const paint = (i) => {
      shown = [];
      context.fillStyle = replay.background;
      context.fillRect(0, 0, canvas.width, canvas.height);
      for (const [colour, ...numbers] of frames[i]) {
        if (colour < 0) {
          const [at, x, y, right, bottom] = numbers;
          shown.push(at);
          if (images[at].complete) {
            context.drawImage(images[at], ...[x, y, right - x, bottom - y].map((part) => part * scale));
          }
          continue;
        }
        const places = numbers.map((part) => part * scale);
        context.fillStyle = replay.colours[colour];
        context.beginPath();
        if (places.length === 3) context.arc(places[0], places[1], places[2], 0, 2 * Math.PI);
        else for (let k = 0; k < places.length; k += 2) context.lineTo(places[k], places[k + 1]);
        context.fill();
      }
      slider.value = i;
      output.textContent = i;
    };
    let timer = null;
    const stop = () => {
      clearInterval(timer);
      timer = null;
      play.textContent = 'Play';
    };
    const last = frames.length - 1;
    play.addEventListener('click', () => {
      if (timer !== null) return stop();
      play.textContent = 'Pause';
      let i = Number(slider.value) >= last ? 0 : Number(slider.value);
      timer = setInterval(() => {
        if (i >= last) stop();
        else paint((i += 1));
      }, 1000 / FRAMES_A_SECOND);
      return undefined;
    });
    slider.addEventListener('input', () => {
      stop();
      paint(Number(slider.value));
    });
    paint(0);
  };

  /** Lets what a part of the page holds be used. */
  const use = (part, replays) => {
    part.querySelectorAll('table.sortable').forEach(sorts);
    part.querySelectorAll('.replay').forEach((figure) => plays(figure, replays));
  };
  use(document, data.replays);
  return { data, redraw, use };
})();
