// The viewer: tiles of the chosen class, one camera for all, one loop that draws those that are on the screen.

const START = { yaw: 0.56, pitch: 0.38, zoom: 1 };
const MOVED_STEPS = 8;
const LARGEST = 1.5; // zoom steps by at most that much at once
const viewers = [];
const calm = matchMedia("(prefers-reduced-motion: reduce)");
let asked = false;

// Asks for a frame; there is one loop for the page, which rests when nothing changes.
function ask() {
  if (!asked) { asked = true; requestAnimationFrame(frame); }
}

function frame(now) {
  asked = false;
  for (const viewer of viewers) viewer.frame(now);
  if (viewers.some((viewer) => viewer.spinning && viewer.onScreen)) ask();
}

function element(name, settings = {}, ...children) {
  const made = Object.assign(document.createElement(name), settings);
  made.append(...children);
  return made;
}

class Viewer {
  constructor(root) {
    this.root = root;
    this.clouds = new Clouds(JSON.parse(root.querySelector("[data-clouds]").textContent));
    this.camera = { ...START };
    this.tiles = [];
    this.spinning = false;
    this.observer = new IntersectionObserver((entries) => {
      for (const entry of entries) entry.target.tile.visible = entry.isIntersecting;
      this.redraw();
    }, { rootMargin: "100px" });
    this.resized = new ResizeObserver(() => this.redraw());
    this.inputs = Object.fromEntries([...root.querySelectorAll("[data-input]")].map((i) => [i.dataset.input, i]));
    this.listen();
    this.recolour();
    this.fill();
    viewers.push(this);
  }

  listen() {
    const { shown, previous, next, points, colour, back, beside, spin, reset } = this.inputs;
    for (const input of [shown, points, beside]) input?.addEventListener("change", () => this.fill());
    colour?.addEventListener("change", () => this.redraw());
    back?.addEventListener("input", () => this.redraw());
    const step = (by) => {
      const options = shown.options.length;
      shown.selectedIndex = (shown.selectedIndex + by + options) % options;
      this.fill();
    };
    previous.addEventListener("click", () => step(-1));
    next.addEventListener("click", () => step(1));
    reset.addEventListener("click", () => this.turnTo(START));
    spin.addEventListener("click", () => this.spinTo(!this.spinning));
    calm.addEventListener("change", () => calm.matches && this.spinTo(false));
  }

  get onScreen() { return this.tiles.some((tile) => tile.visible); }

  spinTo(spinning) {
    this.spinning = spinning;
    this.inputs.spin.setAttribute("aria-pressed", spinning);
    this.last = undefined;
    ask();
  }

  turnTo(camera) {
    Object.assign(this.camera, camera);
    this.camera.pitch = Math.max(-1.57, Math.min(1.57, this.camera.pitch));
    this.camera.zoom = Math.max(0.3, Math.min(12, this.camera.zoom));
    this.redraw();
  }

  turn(yaw, pitch) { this.turnTo({ yaw: this.camera.yaw + yaw, pitch: this.camera.pitch + pitch }); }

  zoom(by) { this.turnTo({ zoom: this.camera.zoom * Math.max(1 / LARGEST, Math.min(LARGEST, by)) }); }

  redraw() {
    for (const tile of this.tiles) tile.stale = true;
    ask();
  }

  // The colours of the theme that is shown.
  recolour() {
    const style = getComputedStyle(document.documentElement);
    const named = (name) => style.getPropertyValue(`--${name}`).trim();
    const series = Array.from({ length: 8 }, (_, i) => named(`series-${i}`)), ground = named("panel");
    this.palettes = {
      parts: shades(series, ground),
      moved: shades(between(named("muted"), series[1], MOVED_STEPS), ground),
      initial: shades([named("muted")], ground),
      anchor: shades([series[1]], ground),
      cloud: shades([series[0]], ground),
    };
    this.redraw();
  }

  // Tiles for the class that is chosen: all its clouds, or the first of each class.
  fill() {
    this.observer.disconnect();
    this.resized.disconnect();
    const chosen = this.inputs.shown.value, rows = [];
    this.tiles = [];
    for (const set of this.clouds.sets) {
      const firsts = new Set();
      const mine = set.clouds.filter((cloud) => chosen === "all"
        ? !firsts.has(cloud.class) && firsts.add(cloud.class) : cloud.class === Number(chosen));
      const groups = mine.map((cloud) => this.tilesOf(Object.assign(cloud, { free: set.free }), chosen === "all"));
      const figures = groups.map((tiles) => tiles.length === 1 ? tiles[0].figure
        : element("div", { className: "pair" }, ...tiles.map((tile) => tile.figure)));
      if (set.name) rows.push(element("h3", { textContent: set.name }));
      rows.push(element("div", { className: "tiles" }, ...figures));
      if (!mine.length) rows.push(element("p", { textContent: "No cloud of this class.", className: "quiet" }));
      this.tiles.push(...groups.flat());
    }
    this.root.querySelector("[data-rows]").replaceChildren(...rows);
    const count = this.tiles.length, what = this.inputs.shown.selectedOptions[0].textContent;
    this.root.querySelector("[data-status]").textContent = `${what}: ${count} cloud${count === 1 ? "" : "s"} shown`;
    for (const tile of this.tiles) {
      this.observer.observe(tile.canvas);
      this.resized.observe(tile.canvas);
    }
    this.redraw();
  }

  tilesOf(cloud, ofAll) {
    const sides = this.inputs.beside?.checked && cloud.moves ? ["initial", "distilled"] : [""];
    return sides.map((side) => new Tile(this, cloud, side, ofAll));
  }

  frame(now) {
    if (this.spinning) {
      this.camera.yaw += Math.min(100, now - (this.last ?? now)) / 4000;
      this.last = now;
      for (const tile of this.tiles) tile.stale = true;
    }
    for (const tile of this.tiles) if (tile.stale && tile.visible) tile.draw();
  }
}
