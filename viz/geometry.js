/** All cards that can be reached from some cards along [from, to] pairs. */
function reach(starts, pairs) {
  const next = Map.groupBy(pairs, ([from]) => from);
  const seen = new Set(starts);
  // Iterating over a Set also visits what is added meanwhile.
  for (const card of seen) for (const [, to] of next.get(card) ?? []) seen.add(to);
  return seen;
}

const GAP = 26;

/**
 * Map a coordinate when folds shrink: a fold becomes as wide as its card, except where something
 * is still visible, and gaps stay gaps. The order is kept, so nothing overlaps.
 */
function squeeze(folds, boxes) {
  const marks = [...new Set([...folds, ...boxes].flatMap(([low, high]) => [low, high]))];
  marks.sort((a, b) => a - b);
  const places = marks.slice(0, 1);
  marks.slice(1).forEach((high, k) => {
    const low = marks[k], length = high - low;
    const within = ([from, to]) => from <= low && high <= to;
    const ratios = boxes.some(within) ? [] : folds.filter(within).map(([, , ratio]) => ratio);
    const shrunk = Math.max(Math.min(length, GAP), length * Math.max(...ratios));
    places.push(places[k] + (ratios.length ? shrunk : length));
  });
  return (x) => {
    const k = marks.findLastIndex((mark) => mark <= x);
    if (k < 0) return x;
    if (k === marks.length - 1) return x - marks[k] + places[k];
    const share = (x - marks[k]) / (marks[k + 1] - marks[k]);
    return places[k] + share * (places[k + 1] - places[k]);
  };
}

/** A sheet with names for what its lists contain, and identifiers for its elements. */
function unpacked(s, number, faces) {
  const id = (kind, k) => `s${number}-${kind}${k}`;
  return { ...s,
    cards: s.cards.map(([node, frame, outline, face, title, contents, opens]) => ({
      id: id("n", node), node, frame, items: [outline, ...faces[face]], title, contents, opens })),
    edges: s.edges.map(([tail, head, curve, tip, items, label], k) => ({ id: id("e", k), tail,
      head, curve, tip, items, label })),
    frames: s.frames.map(([parent, at, items, title, contents], k) => ({ id: id("c", k), parent,
      at, items, title, contents })),
  };
}
