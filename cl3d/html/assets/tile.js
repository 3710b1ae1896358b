// One cloud of the viewer: a canvas that is turned by mouse, touch and keys, and its caption.

class Tile {
  constructor(viewer, cloud, side, ofAll) {
    Object.assign(this, { viewer, cloud, side, visible: false, stale: true });
    const name = viewer.clouds.classes[cloud.class] ?? `class ${cloud.class}`;
    const title = [ofAll ? name : cloud.title, side].filter(Boolean).join(", ");
    this.canvas = element("canvas", { tabIndex: 0, tile: this });
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", this.told(name));
    const caption = element("figcaption", {}, element("span", { textContent: title }));
    if (cloud.moved && side !== "initial") {
      caption.append(element("span", { className: "quiet", textContent: `moved ${cloud.moved.toFixed(3)}` }));
    }
    this.figure = element("figure", { className: `tile ${cloud.kind ?? ""}` }, this.canvas, caption);
    if (cloud.note) this.figure.title = cloud.note;
    this.listen();
  }

  told(name) {
    const { cloud } = this, n = this.viewer.clouds.count(cloud, this.wanted);
    const parts = [name, cloud.title, this.side, `${n} points`, cloud.note,
      cloud.moved && `moved by ${cloud.moved} of its radius on average`];
    return `${parts.filter(Boolean).join(", ")}. Arrow keys turn it, plus and minus zoom, Enter enlarges it.`;
  }

  get wanted() { return Number(this.viewer.inputs.points?.value ?? Infinity); }

  draw() {
    this.stale = false;
    const sharp = Math.min(2, devicePixelRatio || 1), side = Math.round(this.canvas.clientWidth * sharp);
    if (!side) return;
    if (this.canvas.width !== side) this.canvas.width = this.canvas.height = side;
    const { clouds, inputs, palettes, camera } = this.viewer, { cloud } = this;
    const points = clouds.points(cloud, this.wanted), n = points.length / 3, moves = clouds.moves(cloud, n);
    const back = this.side === "initial" ? 1 : this.side ? 0 : 1 - Number(inputs.back?.value ?? 1);
    draw(this.canvas, { points, moves, back, camera, ...this.colours(n, moves, palettes, inputs.colour?.value) });
  }

  colours(n, moves, palettes, wanted) {
    const parts = this.viewer.clouds.parts(this.cloud, n);
    if (wanted === "part" && parts) return { colour: parts, palette: palettes.parts };
    if (wanted === "moved" && moves) return { colour: this.distances(n, moves), palette: palettes.moved };
    if (this.side === "initial") return { colour: null, palette: palettes.initial };
    return { colour: null, palette: palettes[this.cloud.kind === "anchor" ? "anchor" : "cloud"] };
  }

  // How far each point moved, in steps up to the farthest of its cloud.
  distances(n, moves) {
    if (this.stepped) return this.stepped;
    const far = Float32Array.from({ length: n }, (_, i) => Math.hypot(...moves.subarray(3 * i, 3 * i + 3)));
    const most = far.reduce((a, b) => Math.max(a, b), 1e-9);
    this.stepped = Uint8Array.from(far, (distance) => Math.round((MOVED_STEPS - 1) * distance / most));
    return this.stepped;
  }

  listen() {
    const { canvas, viewer } = this, held = new Map(); // pointers that are down
    const apart = () => { const [a, b] = held.values(); return Math.hypot(a.x - b.x, a.y - b.y); };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      canvas.focus({ preventScroll: true });
      held.set(event.pointerId, { x: event.clientX, y: event.clientY });
    });
    canvas.addEventListener("pointermove", (event) => {
      const before = held.get(event.pointerId);
      if (!before) return;
      const distance = held.size === 2 ? apart() : 0, now = { x: event.clientX, y: event.clientY };
      held.set(event.pointerId, now);
      if (distance) viewer.zoom(apart() / distance);
      else viewer.turn((now.x - before.x) / 90, (now.y - before.y) / 90);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(end, (event) => held.delete(event.pointerId));
    }
    canvas.addEventListener("wheel", (event) => {
      // a page full of clouds must still scroll: the wheel zooms the one that was clicked, and pinching any
      if (!event.ctrlKey && document.activeElement !== canvas) return;
      event.preventDefault();
      viewer.zoom(Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 500)));
    }, { passive: false });
    canvas.addEventListener("dblclick", () => this.enlarge());
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    const { viewer } = this, keys = {
      ArrowLeft: () => viewer.turn(-0.15, 0), ArrowRight: () => viewer.turn(0.15, 0),
      ArrowUp: () => viewer.turn(0, -0.15), ArrowDown: () => viewer.turn(0, 0.15),
      "+": () => viewer.zoom(1.2), "=": () => viewer.zoom(1.2), "-": () => viewer.zoom(1 / 1.2),
      0: () => viewer.turnTo(START), Enter: () => this.enlarge(),
    };
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  }

  enlarge() {
    this.figure.classList.toggle("large");
    this.figure.scrollIntoView({ block: "nearest" });
  }
}
