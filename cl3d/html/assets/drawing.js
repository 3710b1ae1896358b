// Draws points on a canvas: far ones first and paler.

const BANDS = 10; // of depth
const HAZE = 0.65; // how far the farthest fade into the ground

// The shades of each colour, from far to near, as CSS colours.
function shades(colours, ground) {
  const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const below = rgb(ground);
  return colours.map((colour) => Array.from({ length: BANDS }, (_, band) => {
    const fade = HAZE * (1 - band / (BANDS - 1));
    return `rgb(${rgb(colour).map((value, k) => Math.round(value * (1 - fade) + below[k] * fade)).join(" ")})`;
  }));
}

// Colours between two, of which the first is for 0 and the last for 1.
function between(low, high, steps) {
  const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const [from, to] = [rgb(low), rgb(high)];
  const mixed = (t) => from.map((value, k) => Math.round(value + t * (to[k] - value)));
  return Array.from({ length: steps }, (_, step) =>
    "#" + mixed(step / (steps - 1)).map((value) => value.toString(16).padStart(2, "0")).join(""));
}

// points: x, y, z of each, y up. moves: added by the fraction `back`. colour: of each point, an index into
// palette, or null for the first one. camera: yaw and pitch in radians, zoom.
function draw(canvas, { points, moves, back, colour, palette, camera }) {
  const context = canvas.getContext("2d"), side = canvas.width, n = points.length / 3;
  context.clearRect(0, 0, side, side);
  const [cy, sy, cp, sp] = [
    Math.cos(camera.yaw), Math.sin(camera.yaw), Math.cos(camera.pitch), Math.sin(camera.pitch)];
  const seen = new Float32Array(3 * n), order = Array.from({ length: BANDS }, () => []);
  const scale = 0.47 * side * camera.zoom;
  for (let i = 0; i < n; i++) {
    let [x, y, z] = [points[3 * i], points[3 * i + 1], points[3 * i + 2]];
    if (moves && back) {
      x += back * moves[3 * i]; y += back * moves[3 * i + 1]; z += back * moves[3 * i + 2];
    }
    const ahead = sy * x + cy * z, near = sp * y + cp * ahead;
    seen[3 * i] = side / 2 + scale * (cy * x - sy * z);
    seen[3 * i + 1] = side / 2 - scale * (cp * y - sp * ahead);
    const band = Math.floor((near + 1) / 2 * BANDS);
    order[Math.max(0, Math.min(BANDS - 1, band))].push(i);
  }
  const usual = Math.max(0.9, Math.min(0.03, 0.42 / Math.sqrt(n)) * side * Math.sqrt(camera.zoom));
  order.forEach((members, band) => {
    const radius = usual * (0.6 + 0.55 * band / BANDS);
    const groups = new Map();
    for (const i of members) {
      const index = colour ? colour[i] % palette.length : 0;
      if (!groups.has(index)) groups.set(index, []);
      groups.get(index).push(i);
    }
    for (const [index, group] of groups) {
      context.fillStyle = palette[index][band];
      context.beginPath();
      for (const i of group) {
        context.moveTo(seen[3 * i] + radius, seen[3 * i + 1]);
        context.arc(seen[3 * i], seen[3 * i + 1], radius, 0, 7);
      }
      context.fill();
    }
  });
}
