// Clouds from the page's JSON; each is unpacked when it is first looked at.

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

// Points (x, y, z, x, ...) from positions on a 16-bit grid: the inverse of packing.pack.
function unpack(packed) {
  const at = new Uint16Array(bytes(packed.at).buffer);
  return Float32Array.from(at, (value, i) => packed.lo[i % 3] + packed.step * value);
}

// Centres points at their centroid and scales them into the unit sphere, in place.
function normalize(points) {
  const n = points.length / 3, centre = [0, 0, 0];
  for (let i = 0; i < points.length; i++) centre[i % 3] += points[i] / n;
  let radius = 0;
  for (let i = 0; i < points.length; i += 3) {
    for (let k = 0; k < 3; k++) points[i + k] -= centre[k];
    radius = Math.max(radius, Math.hypot(points[i], points[i + 1], points[i + 2]));
  }
  if (radius > 0) for (let i = 0; i < points.length; i++) points[i] /= radius;
  return points;
}

class Clouds {
  constructor(json) {
    Object.assign(this, json); // classes, shapes, sets
    this.unpacked = new Map();
    this.made = new Map();
  }

  shape(number) {
    if (!this.unpacked.has(number)) this.unpacked.set(number, unpack(this.shapes[number]));
    return this.unpacked.get(number);
  }

  // How many points a cloud is shown with: a free one has any number, its shape's first ones.
  count(cloud, wanted) {
    const there = this.shapes[cloud.of[0][0]].n;
    return cloud.free ? Math.min(wanted, there) : there;
  }

  // A cloud's points: the weighted sum of its shapes.
  points(cloud, wanted) {
    const n = this.count(cloud, wanted), known = this.made.get(cloud);
    if (known && known.length === 3 * n) return known;
    const points = new Float32Array(3 * n);
    for (const [number, weight] of cloud.of) {
      const shape = this.shape(number);
      for (let i = 0; i < points.length; i++) points[i] += weight * shape[i];
    }
    this.made.set(cloud, normalize(points));
    return points;
  }

  // From each point to where it was before it was distilled; null where that is not known.
  moves(cloud, n) {
    if (!cloud.moves) return null;
    cloud.unpackedMoves ||= Float32Array.from(
      new Int8Array(bytes(cloud.moves.at).buffer), (value) => cloud.moves.step * value);
    return cloud.unpackedMoves.length === 3 * n ? cloud.unpackedMoves : null;
  }

  parts(cloud, n) {
    if (!cloud.parts) return null;
    cloud.unpackedParts ||= bytes(cloud.parts);
    return cloud.unpackedParts.length === n ? cloud.unpackedParts : null;
  }
}
