// Draws points on a canvas: far ones first, smaller and paler.

const BANDS = 10; // of depth
const HAZE = 0.65; // how far the farthest fade into the ground
const MARGIN = 0.47; // of the canvas's side: the radius of a cloud's sphere

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const mixed = (from, to, t) => from.map((value, k) => Math.round(value + t * (to[k] - value)));

// The shades of each colour, from far to near, as CSS colours. Colours and ground are #rrggbb.
function shades(colours, ground) {
  const shade = (colour, band) => mixed(rgb(colour), rgb(ground), HAZE * (1 - band / (BANDS - 1)));
  return colours.map((colour) =>
    Array.from({ length: BANDS }, (_, band) => `rgb(${shade(colour, band).join(" ")})`));
}

// So many colours from one to another.
function between(low, high, steps) {
  const hex = (value) => value.toString(16).padStart(2, "0");
  return Array.from({ length: steps }, (_, step) =>
    "#" + mixed(rgb(low), rgb(high), step / (steps - 1)).map(hex).join(""));
}

// Where points are seen, as x, y of each, and the band of depth of each.
// points: x, y, z of each, y up. moves: added by the fraction `back`. camera: yaw and pitch in radians, zoom.
function project(points, moves, back, camera, side) {
  const n = points.length / 3, seen = new Float32Array(2 * n), bands = new Uint8Array(n);
  const [cy, sy] = [Math.cos(camera.yaw), Math.sin(camera.yaw)];
  const [cp, sp] = [Math.cos(camera.pitch), Math.sin(camera.pitch)];
  const scale = MARGIN * side * camera.zoom;
  const at = moves && back ? (i) => points[i] + back * moves[i] : (i) => points[i];
  for (let i = 0; i < n; i++) {
    const [x, y, z] = [at(3 * i), at(3 * i + 1), at(3 * i + 2)];
    const ahead = sy * x + cy * z, near = sp * y + cp * ahead; // near: from -1 to 1
    seen[2 * i] = side / 2 + scale * (cy * x - sy * z);
    seen[2 * i + 1] = side / 2 - scale * (cp * y - sp * ahead);
    bands[i] = Math.max(0, Math.min(BANDS - 1, Math.floor((near + 1) / 2 * BANDS)));
  }
  return { seen, bands };
}

// colour: of each point, an index into palette; null is the first for all. palette: shades of each colour.
function draw(canvas, { points, moves, back, colour, palette, camera }) {
  const context = canvas.getContext("2d"), side = canvas.width, n = points.length / 3;
  const { seen, bands } = project(points, moves, back, camera, side);
  // points of one band and colour are filled at once
  const groups = Array.from({ length: BANDS }, () => palette.map(() => []));
  for (let i = 0; i < n; i++) groups[bands[i]][colour ? colour[i] % palette.length : 0].push(i);
  const usual = Math.max(0.9, Math.min(0.03, 0.42 / Math.sqrt(n)) * side * Math.sqrt(camera.zoom));
  context.clearRect(0, 0, side, side);
  groups.forEach((ofBand, band) => ofBand.forEach((members, index) => {
    const radius = usual * (0.6 + 0.55 * band / BANDS);
    context.fillStyle = palette[index][band];
    context.beginPath();
    for (const i of members) {
      context.moveTo(seen[2 * i] + radius, seen[2 * i + 1]);
      context.arc(seen[2 * i], seen[2 * i + 1], radius, 0, 7);
    }
    context.fill();
  }));
}
