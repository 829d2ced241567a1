"use strict";
// Draws the plots of each table with D3. A point is a link to its row; what is filtered there is hidden here.
(() => {
  const KINDS = {
    forgetting: {
      x: { field: "attack", label: "Attack's distance to retrain", scale: d3.scaleLinear },
      y: { field: "test", label: "Test utility", scale: d3.scaleLinear },
    },
    cost: {
      x: { field: "cost", label: "Time / retrain's time (logarithmic)", scale: d3.scaleLog },
      y: { field: "gap", label: "Gap to retrain", scale: d3.scaleLinear },
    },
  };
  const SHAPES = {
    retrain: d3.symbolStar, noise: d3.symbolDiamond, original: d3.symbolCross,
    ranked: d3.symbolCircle, out: d3.symbolCircle, below: d3.symbolTriangle,
  };
  const NAMES = {
    retrain: "retrain", noise: "retrain′", original: "original", ranked: "ranked",
    out: "out of competition (†)", below: "never forgot",
  };
  const MARGIN = { top: 12, right: 16, bottom: 44, left: 62 };
  const LABEL = { height: 13, places: [[9, 4, "start"], [-9, 4, "end"], [0, -9, "middle"], [0, 18, "middle"]] };

  const shape = (kind, size) => d3.symbol().type(SHAPES[kind]).size(size)();

  const domain = (values, axis) => {
    const [low, high] = d3.extent(values);
    if (axis.scale === d3.scaleLog) return [low / 1.6, high * 1.6];
    const room = 0.08 * (high - low || Math.abs(high) || 1);
    return [axis.field === "test" ? low - room : -room / 2, high + room];
  };

  const ticks = (axis, scale) => {
    const made = axis.scale === d3.scaleLog ? scale.ticks().filter((one) => /^[125]/.test(one.toExponential())) : scale.ticks(5);
    return made.length > 7 ? made.filter((one) => /^1/.test(one.toExponential())) : made;
  };

  class Plot {
    constructor(figure, table, data) {
      this.figure = d3.select(figure);
      this.table = table;
      this.kind = KINDS[figure.dataset.plot];
      this.noise = data.noise;
      this.points = data.points.filter((one) => one[this.kind.x.field] !== null && one[this.kind.y.field] !== null);
      this.level = data.points.find((one) => one.kind === "original" && one[this.kind.x.field] === null);
      this.zoom = d3.zoom().scaleExtent([1, 40])
        .filter(() => d3.event.type !== "wheel" || d3.event.ctrlKey)
        .on("zoom", () => this.place());
      this.build(figure.querySelector("figcaption").id);
    }

    build(caption) {
      this.tip = this.figure.append("div").attr("class", "tip").attr("hidden", "");
      this.svg = this.figure.append("svg").attr("role", "group")
        .attr("aria-labelledby", caption).attr("aria-describedby", `${this.table}-summary`);
      const id = `${caption}-clip`;
      this.clip = this.svg.append("clipPath").attr("id", id).append("rect");
      this.back = this.svg.append("g").attr("clip-path", `url(#${id})`);
      this.axes = { x: this.svg.append("g"), y: this.svg.append("g") };
      this.labels = {
        x: this.svg.append("text").attr("class", "axis").attr("text-anchor", "middle").text(this.kind.x.label),
        y: this.svg.append("text").attr("class", "axis").attr("text-anchor", "middle").text(this.kind.y.label),
      };
      this.front = this.svg.append("g").attr("clip-path", `url(#${id})`);
      this.svg.call(this.zoom).on("dblclick.zoom", null);
      this.keys();
      this.buttons();
    }

    keys() {
      const list = this.figure.append("ul").attr("class", "keys");
      for (const kind of Object.keys(SHAPES)) {
        if (!this.points.some((one) => one.kind === kind)) continue;
        const item = list.append("li");
        item.append("svg").attr("width", 16).attr("height", 16).attr("aria-hidden", "true").append("path")
          .attr("class", `mark ${kind}`).attr("transform", "translate(8,8)").attr("d", shape(kind, 60));
        item.append("span").text(NAMES[kind]);
      }
      list.append("li").attr("class", "noise-key").text("shaded: within the noise of two retrains");
    }

    buttons() {
      const row = this.figure.append("div").attr("class", "zoom");
      const add = (text, label, act) => row.append("button").attr("type", "button").attr("aria-label", label).text(text)
        .on("click", act);
      add("+", "Zoom in", () => this.svg.call(this.zoom.scaleBy, 1.6));
      add("−", "Zoom out", () => this.svg.call(this.zoom.scaleBy, 1 / 1.6));
      add("Reset", "Show the whole plot", () => this.svg.call(this.zoom.transform, d3.zoomIdentity));
    }

    /** Draws everything anew, as wide as there is room. */
    draw() {
      const width = this.figure.node().clientWidth;
      if (width < 50) return;
      const height = Math.round(Math.min(420, Math.max(280, 0.68 * width)));
      this.inside = [[MARGIN.left, MARGIN.top], [width - MARGIN.right, height - MARGIN.bottom]];
      const [[left, top], [right, bottom]] = this.inside;
      this.svg.attr("width", width).attr("height", height).attr("viewBox", `0 0 ${width} ${height}`);
      this.clip.attr("x", left).attr("y", top).attr("width", right - left).attr("height", bottom - top);
      this.zoom.extent(this.inside).translateExtent(this.inside);
      const values = (axis) => [...this.points, ...(this.level && axis === this.kind.y ? [this.level] : [])].map((one) => one[axis.field]);
      this.scales = {
        x: this.kind.x.scale().domain(domain(values(this.kind.x), this.kind.x)).range([left, right]),
        y: this.kind.y.scale().domain(domain(values(this.kind.y), this.kind.y)).range([bottom, top]),
      };
      this.labels.x.attr("x", (left + right) / 2).attr("y", height - 8);
      this.labels.y.attr("transform", `translate(14,${(top + bottom) / 2}) rotate(-90)`);
      this.place();
    }

    /** Puts everything where it lies at the present zoom. */
    place() {
      if (!this.scales) return;
      const [[left, top], [right, bottom]] = this.inside;
      const transform = d3.zoomTransform(this.svg.node());
      const x = transform.rescaleX(this.scales.x);
      const y = transform.rescaleY(this.scales.y);
      this.axes.x.attr("transform", `translate(0,${bottom})`)
        .call(d3.axisBottom(x).tickValues(ticks(this.kind.x, x)).tickFormat(d3.format("~g")));
      this.axes.y.attr("transform", `translate(${left},0)`)
        .call(d3.axisLeft(y).tickValues(ticks(this.kind.y, y)).tickFormat(d3.format("~g")));
      this.regions(x, y, left, right, top, bottom);
      this.marks(x, y);
      this.write(left, right, top, bottom);
    }

    /** Shades what two retrains differ by, and draws the levels of retrain and the original. */
    regions(x, y, left, right, top, bottom) {
      const across = (low, high) => ({ x: left, width: right - left, y: y(high), height: Math.max(0, y(low) - y(high)) });
      const bands = [];
      const levels = [];
      const retrain = this.points.find((one) => one.kind === "retrain");
      if (this.kind === KINDS.forgetting) {
        if (this.noise.attack !== null) {
          bands.push({ x: x(0), width: Math.max(0, x(this.noise.attack) - x(0)), y: top, height: bottom - top });
        }
        if (retrain) {
          levels.push(["retrain", retrain.test]);
          if (this.noise.test !== null) bands.push(across(retrain.test - this.noise.test, retrain.test + this.noise.test));
        }
      } else if (this.noise.gap !== null) {
        bands.push(across(0, this.noise.gap));
      }
      if (this.level) levels.push(["original", this.level[this.kind.y.field]]);
      const rects = this.back.selectAll("rect").data(bands);
      rects.enter().append("rect").attr("class", "band").merge(rects)
        .attr("x", (one) => one.x).attr("y", (one) => one.y).attr("width", (one) => one.width).attr("height", (one) => one.height);
      const lines = this.back.selectAll("line").data(levels);
      lines.enter().append("line").attr("class", ([name]) => `level ${name}`).merge(lines)
        .attr("x1", left).attr("x2", right).attr("y1", ([, value]) => y(value)).attr("y2", ([, value]) => y(value));
      const names = this.back.selectAll("text").data(levels.filter(([name]) => name === "original"));
      names.enter().append("text").attr("class", "name").attr("text-anchor", "end").text("original").merge(names)
        .attr("x", right - 4).attr("y", ([, value]) => y(value) - 4);
    }

    marks(x, y) {
      const row = (one) => document.getElementById(`${this.table}-${one.row}`);
      const shown = this.points.filter((one) => !row(one).hidden);
      const marks = this.front.selectAll("a.point").data(shown, (one) => one.row);
      marks.exit().remove();
      const made = marks.enter().append("a").attr("class", "point")
        .attr("href", (one) => `#${this.table}-${one.row}`)
        .attr("aria-label", (one) => `${one.name}: ${one.said.join("; ")}`)
        .on("mouseenter focus", (one) => this.tell(one)).on("mouseleave blur", () => this.tell(null));
      made.append("circle").attr("class", "reach").attr("r", 12);
      made.append("path").attr("class", (one) => `mark ${one.kind}`)
        .attr("d", (one) => shape(one.kind, one.kind === "retrain" ? 110 : 64));
      this.at = (one) => [x(one[this.kind.x.field]), y(one[this.kind.y.field])];
      made.merge(marks).attr("transform", (one) => `translate(${this.at(one)})`);
    }

    /** Writes the names of as many points as there is room for, those of references and first ranks first. */
    write(left, right, top, bottom) {
      const order = (one) => (one.kind === "retrain" || one.kind === "noise" || one.kind === "original" ? 0 : one.rank || 999);
      const shown = this.front.selectAll("a.point").data().filter((one) => {
        const [x, y] = this.at(one);
        return x >= left && x <= right && y >= top && y <= bottom;
      });
      const taken = shown.map((one) => [this.at(one)[0] - 6, this.at(one)[1] - 6, this.at(one)[0] + 6, this.at(one)[1] + 6]);
      const free = (box) => box[0] >= left && box[2] <= right && box[1] >= top && box[3] <= bottom
        && taken.every((one) => one[2] < box[0] || one[0] > box[2] || one[3] < box[1] || one[1] > box[3]);
      const found = [];
      for (const one of [...shown].sort((a, b) => order(a) - order(b))) {
        const width = 6.4 * one.name.length;
        for (const [dx, dy, anchor] of LABEL.places) {
          const [x, y] = [this.at(one)[0] + dx, this.at(one)[1] + dy];
          const start = anchor === "start" ? x : anchor === "end" ? x - width : x - width / 2;
          const box = [start, y - LABEL.height + 3, start + width, y + 3];
          if (free(box)) {
            taken.push(box);
            found.push({ name: one.name, x, y, anchor });
            break;
          }
        }
      }
      const names = this.front.selectAll("text").data(found);
      names.exit().remove();
      names.enter().append("text").attr("class", "name").attr("aria-hidden", "true").merge(names)
        .attr("x", (one) => one.x).attr("y", (one) => one.y).attr("text-anchor", (one) => one.anchor).text((one) => one.name);
    }

    /** Shows what a point is, or hides it. */
    tell(point) {
      this.tip.attr("hidden", point ? null : "").selectAll("*").remove();
      if (!point) return;
      this.tip.append("strong").text(point.name);
      for (const line of point.said) this.tip.append("span").text(line);
      const [x, y] = this.at(point);
      const node = this.tip.node();
      const room = this.figure.node().clientWidth - node.offsetWidth;
      const above = this.svg.node().getBoundingClientRect().top - this.figure.node().getBoundingClientRect().top;
      this.tip.style("left", `${Math.max(0, Math.min(room, x - node.offsetWidth / 2))}px`)
        .style("top", `${above + (y > node.offsetHeight + 20 ? y - node.offsetHeight - 14 : y + 14)}px`);
    }
  }

  const plots = [];
  for (const group of document.querySelectorAll(".plots")) {
    const data = JSON.parse(document.getElementById(`${group.dataset.table}-data`).textContent);
    group.hidden = false;
    for (const figure of group.querySelectorAll("figure")) {
      const plot = new Plot(figure, group.dataset.table, data);
      if (plot.points.length === 0) figure.hidden = true;
      else plots.push(plot);
    }
  }
  const draw = () => plots.forEach((one) => one.draw());
  window.addEventListener("resize", draw);
  document.addEventListener("filtered", draw);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") plots.forEach((one) => one.tell(null));
  });
  draw();
})();
