// What a reader's eye would find wrong in a page, as JSON: read by tests/report/browser.rs.
addEventListener('load', () => {
  const found = [];
  const say = (what, element) => {
    if (found.length < 40) found.push(what + ': ' + (element ? element.outerHTML.slice(0, 160) : ''));
  };
  const shown = (element) => element.getClientRects().length > 0;
  const all = (selector) => [...document.querySelectorAll(selector)];
  // Parts that are not laid out until they are near have no places to measure.
  for (const slide of all('.slide')) slide.style.contentVisibility = 'visible';
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width + 1) {
    say('the page is wider than its window by ' + (document.documentElement.scrollWidth - width));
    const scrolls = (e) => e && (e.matches('.scroll') || scrolls(e.parentElement));
    all('body *').filter((e) => e.getBoundingClientRect().right > width + 1 && !scrolls(e)).slice(0, 5).forEach((e) => say('too wide', e));
  }
  for (const e of all('body *')) {
    const style = getComputedStyle(e);
    if (e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1 && !e.matches('.scroll, html, body') && style.overflowX !== 'visible') say('text is cut', e);
  }
  const inside = (a, b, slack) => a.left < b.right - slack && b.left < a.right - slack && a.top < b.bottom - slack && b.top < a.bottom - slack;
  for (const svg of all('svg')) {
    if (!svg.getAttribute('aria-label')) say('a chart without words', svg);
    if (!shown(svg)) continue;
    const frame = svg.getBoundingClientRect();
    if (frame.height < 10 || svg.children.length === 0) say('an empty chart', svg);
    const scale = frame.width / svg.viewBox.baseVal.width;
    const texts = [...svg.querySelectorAll('text')].filter(shown).slice(0, 1500).map((e) => [e, e.getBoundingClientRect()]);
    texts.sort((a, b) => a[1].top - b[1].top);
    texts.forEach(([e, own], i) => {
      if (own.left < frame.left - 2 || own.right > frame.right + 2 || own.top < frame.top - 2 || own.bottom > frame.bottom + 2) say('a label leaves its chart', e);
      for (let j = i + 1; j < texts.length && texts[j][1].top < own.bottom; j++) {
        // Boxes of letters are taller than letters.
        if (inside(own, texts[j][1], 4.5 * scale)) say('labels overlap, ' + texts[j][0].textContent, e);
      }
    });
  }
  const siblings = (selector) => {
    for (const parent of all(selector)) {
      const children = [...parent.children].filter(shown).filter((e) => getComputedStyle(e).float === 'none' && getComputedStyle(e).position === 'static' );
      const boxes = children.map((e) => e.getBoundingClientRect());
      boxes.forEach((own, i) => boxes.slice(i + 1).forEach((other) => { if (inside(own, other, 1.5)) say('parts overlap', children[i]); }));
    }
  };
  ['.head', '.answers', '.tiles', '.five', '.legend', '.maps', '.slide', 'article', '.pictures', '.members', 'dl', 'header', 'tr'].forEach(siblings);
  for (const image of all('img')) if (!image.getAttribute('alt')) say('a picture without words', image);
  for (const image of all('img')) if (shown(image) && image.complete && image.naturalWidth === 0) say('a picture that is broken', image);
  const seen = new Set();
  for (const e of all('[id]')) { if (seen.has(e.id)) say('one id twice', e); seen.add(e.id); }
  for (const a of all('a')) {
    const to = a.getAttribute('href');
    if (!to) say('a link that the keyboard cannot reach', a);
    else if (to.startsWith('#') && !seen.has(to.slice(1))) say('a link to nowhere', a);
  }
  for (const b of all('[popovertarget]')) if (!seen.has(b.getAttribute('popovertarget'))) say('a term without a meaning', b);
  const term = document.querySelector('.term');
  if (term && shown(term)) {
    term.click();
    const open = document.querySelector(':popover-open');
    if (!open || open.getBoundingClientRect().height < 20) say('a term does not open', term);
    if (open) open.hidePopover();
  }
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const rgb = (text) => { const n = text.match(/[\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const ground = (e) => { for (; e; e = e.parentElement) { const own = rgb(getComputedStyle(e).backgroundColor); if (own[3] > 0.99) return own; } return [255, 255, 255, 1]; };
  let least = 99;
  for (const e of all('body *')) {
    if (e.closest('svg') || !shown(e) || ![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    least = Math.min(least, contrast);
    if (contrast < 4.5) say('contrast ' + contrast.toFixed(2), e);
  }
  const asked = performance.getEntriesByType('resource').map((e) => e.name).filter((name) => !name.startsWith('data:'));
  if (asked.length) say('requests ' + asked.join(' '));
  const told = {
    found, contrast: least, width: innerWidth, dark: matchMedia('(prefers-color-scheme: dark)').matches,
    slides: all('.slide').filter(shown).length, charts: all('svg').filter(shown).length, height: document.documentElement.scrollHeight,
  };
  const note = document.createElement('pre');
  note.id = 'told';
  note.textContent = JSON.stringify(told);
  if (parent === window) document.body.replaceChildren(note);
  else parent.postMessage(note.textContent, '*');
});
