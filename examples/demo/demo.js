/* demo.js - puts the numbers into the page as they come.
 *
 * /events sends what happened since the event before; what is shown is made of
 * the last half minute of them.
 *
 * SPDX-License-Identifier: MIT
 */
"use strict";

const POINTS = 120; // of a spark: half a minute
const STEADY = 4;   // events that a big number is the mean of
const WINDOW = 40;  // events that the histogram shows
const AGAIN = 5000, UNSEEN = 5000; // ms
const SVG = "http://www.w3.org/2000/svg";

let fixed = { times: [], schedulers: 0, version: "" };

const find = (where, what) => (what ? where : document).querySelector(
    what || where);
const count = n => Math.round(n).toLocaleString("en-US");
const counted = (n, what) => `${count(n)} ${what}${n === 1 ? "" : "s"}`;
const megabytes = n => (n / 1e6).toFixed(1) + " MB";

function duration(ns) {
    for (const [unit, name] of [[1e9, "s"], [1e6, "ms"], [1e3, "µs"]])
        if (ns >= unit)
            return +(ns / unit).toPrecision(3) + " " + name;
    return ns + " ns";
}

/* ---- Half a minute of one number ----------------------------------------- */

class Tile {
    constructor(name, unit, describe) {
        this.box = find("#" + name);
        this.unit = unit;
        this.values = [];
        this.describe = describe; // of a value of the spark
        this.pointed = null;      // how many events ago
        this.top = 1;
        this.hair = document.createElementNS(SVG, "line");
        this.hair.setAttribute("class", "hair");
        const spark = find(this.box, ".spark");
        spark.addEventListener("pointermove", e => this.point(e));
        spark.addEventListener("pointerleave", () => this.point(null));
    }

    put(value, spark, sub) {
        this.values.push(spark);
        if (this.values.length > POINTS)
            this.values.shift();
        this.sub = sub;
        this.show(value);
        this.draw();
        this.tell();
    }

    show(value) {
        const number = find(this.box, ".number");
        number.replaceChildren(document.createElement("b"));
        number.firstChild.textContent = value === null ? "–" : count(value);
        if (value !== null && this.unit) {
            number.append(document.createElement("small"));
            number.lastChild.textContent = this.unit;
        }
    }

    /* The scale follows the highest of them, and is never so fine that
       nothing looks like something. */
    draw() {
        const values = this.values, x = i => i + POINTS - values.length;
        const top = Math.max(this.floor || 10, ...values) * 1.08;
        const low = this.base ? Math.min(...values) * 0.9 : 0;
        const y = v => (98 - 96 * (v - low) / (top - low)).toFixed(1);
        const line = values.map((v, i) => `${x(i)},${y(v)}`).join("L");
        const end = x(values.length - 1);
        find(this.box, ".line").setAttribute("d", "M" + line);
        find(this.box, ".area").setAttribute(
            "d", `M${x(0)},100L${line}L${end},100Z`);
    }

    point(event) {
        const spark = find(this.box, ".spark");
        this.hair.remove();
        this.pointed = null;
        if (event) {
            const box = spark.getBoundingClientRect();
            const at = (event.clientX - box.left) / box.width * POINTS;
            this.pointed = Math.max(0, Math.round(POINTS - 1 - at));
            for (const [key, value] of [["x1", at], ["x2", at], ["y1", 0],
                                        ["y2", 100]])
                this.hair.setAttribute(key, value);
            spark.append(this.hair);
        }
        this.tell();
    }

    tell() {
        const value = this.values[this.values.length - 1 - this.pointed];
        const ago = Math.round(this.pointed * fixed.every);
        find(this.box, ".sub").textContent =
            this.pointed === null || value === undefined ? this.sub :
                `${this.describe(value)}, ${ago} s ago`;
    }
}

/* ---- The histogram ------------------------------------------------------- */

class Histogram {
    constructor() {
        this.plot = find("#times .plot");
        this.events = { server: [], clients: [] };
        this.last = { server: [], clients: [] };
    }

    put(name, pairs) {
        const events = this.events[name];
        events.push(pairs);
        if (events.length > WINDOW)
            events.shift();
        const sums = [];
        for (const [i, n] of events.flat())
            sums[i] = (sums[i] || 0) + n;
        if (sums.length > 0)
            this.last[name] = sums;
    }

    share(sums, part) {
        let left = part * sums.reduce((a, b) => a + b, 0);
        const i = sums.findIndex(n => (left -= n || 0) <= 0);
        return duration(fixed.times[i] || 1e10);
    }

    words(name) {
        const sums = this.last[name];
        find("#times .legend ." + name + " b").textContent =
            sums.length === 0 ? "nobody asks" :
                `half in ${this.share(sums, 0.5)}, ` +
                `99 % in ${this.share(sums, 0.99)}`;
    }

    /* Pieces of SVG; times are logarithmic, from 70 ns to 100 ms or to what
       there is. */
    draw() {
        const width = this.plot.clientWidth, height = this.plot.clientHeight;
        const most = Math.max(this.last.server.length,
                              this.last.clients.length);
        const low = Math.log10(70);
        const high = Math.max(8, Math.log10(fixed.times[most - 1] || 1e10));
        const x = ns => (Math.log10(ns) - low) / (high - low) * width;
        const base = height - 22;
        const parts = [];
        const narrow = width / (high - low) < 60;
        for (let ten = 2; ten <= high; ten++) {
            const at = x(10 ** ten);
            const text = Math.min(Math.max(at, 22), width - 24).toFixed(1);
            parts.push(`<path class="axis" d="M${at.toFixed(1)},0V${base}"/>`);
            if (!narrow || ten % 2 === 0)
                parts.push(`<text x="${text}" y="${height - 5}">` +
                           `${duration(10 ** ten)}</text>`);
        }
        for (const name of ["clients", "server"])
            parts.push(this.bars(name, x, base));
        parts.push(`<path class="axis" d="M0,${base}H${width}"/>`);
        this.plot.setAttribute("viewBox", `0 0 ${width} ${height}`);
        this.plot.innerHTML = parts.join("");
        this.words("server");
        this.words("clients");
    }

    /* How many there are by width, since the intervals differ. */
    bars(name, x, base) {
        const times = fixed.times, bars = [];
        let top = 0, path = "";
        this.last[name].forEach((n, i) => {
            const left = x(i === 0 ? 70 : times[i - 1]);
            const right = x(times[i] || times[i - 1] * 1.2);
            bars.push([left, right, n / (right - left)]);
            top = Math.max(top, n / (right - left));
        });
        for (const [left, right, n] of bars) {
            const high = n / top * (base - 12);
            if (high > 0.3)
                path += `M${left.toFixed(1)},${base}` +
                    `V${(base - high).toFixed(1)}` +
                    `H${(right - 0.8).toFixed(1)}V${base}Z`;
        }
        return path ? `<path class="${name}" d="${path}"/>` : "";
    }
}

/* ---- Buttons ------------------------------------------------------------- */

class Button {
    constructor(name, seconds, on, tell) {
        this.form = find("#" + name);
        this.button = find(this.form, "button");
        this.off = this.button.textContent;
        this.on = on;
        this.seconds = seconds;
        this.tell = tell;
        this.form.addEventListener("submit", e => this.press(e));
    }

    async press(event) {
        event.preventDefault();
        this.button.disabled = true;
        try {
            await fetch(this.form.action, { method: "POST",
                                            headers: { "X-Script": "yes" } });
        } catch { /* the events will tell */ }
        this.button.disabled = false;
    }

    put(crowd) {
        const off = crowd.state === "off";
        this.button.textContent = off ? this.off : this.on;
        this.button.setAttribute("aria-pressed", !off);
        find(this.form, ".sub").textContent =
            [off ? "" : this.tell(crowd), crowd.note].filter(s => s).join(". ");
        find(this.form, ".meter i").style.width =
            crowd.left / this.seconds * 100 + "%";
    }
}

/* ---- Events -------------------------------------------------------------- */

const tiles = {
    rps: new Tile("rps", "", v => count(v) + " a second"),
    coroutines: new Tile("coroutines", "", v => count(v)),
    switches: new Tile("switches", "", v => count(v) + " a second"),
    memory: new Tile("memory", "bytes", v => megabytes(v) + " in all"),
};
tiles.memory.base = true;
const histogram = new Histogram();
const buttons = {
    idlers: new Button("idle", 60, "Close them", crowd =>
        count(crowd.count) + (crowd.state === "on" ?
            ` open, for ${Math.ceil(crowd.left)} s more` : " open")),
    load: new Button("load", 10, "Stop", crowd =>
        `${counted(crowd.count, "client")}, ${Math.ceil(crowd.left)} s left`),
};
const recent = [];

function begin(event) {
    fixed = JSON.parse(event.data);
    recent.length = 0;
    for (const tile of Object.values(tiles))
        tile.values = []; // what was before is not of the last half minute
    const list = find(".schedulers");
    list.replaceChildren();
    for (let i = 0; i < fixed.schedulers; i++) {
        list.insertAdjacentHTML("beforeend",
                                `<li>${i}<span><i></i></span><b>–</b></li>`);
    }
    document.body.className = "live";
    find("#state").textContent =
        `live, ${counted(fixed.schedulers, "scheduler")}, ` +
        `corten ${fixed.version}`;
}

function schedulers(now) {
    const rates = now.schedulers.map(s => s[1] / now.seconds);
    const most = Math.max(1000, ...rates);
    find(".schedulers").childNodes.forEach((li, i) => {
        find(li, "i").style.width = rates[i] / most * 100 + "%";
        find(li, "b").textContent = count(rates[i]);
    });
}

function update(event) {
    const now = JSON.parse(event.data);
    if (now.seconds > 0) {
        recent.push(now);
        if (recent.length > STEADY)
            recent.shift();
        const sum = key => recent.reduce((a, e) => a + e[key], 0);
        const seconds = sum("seconds");
        tiles.rps.put(sum("asked") / seconds, now.asked / now.seconds,
                      `${count(now.requests)} answers so far`);
        tiles.switches.put(
            sum("switches") / seconds, now.switches / now.seconds,
            `${(sum("switches") / Math.max(1, sum("polls"))).toFixed(1)} ` +
            "for each epoll_wait");
        find("#cpu").textContent =
            `${(sum("cpu") / seconds).toFixed(2)} of ${fixed.schedulers} cores`;
        schedulers(now);
    }
    tiles.coroutines.put(now.coroutines, now.coroutines,
                         `${counted(now.conns, "connection")}, ` +
                         `${count(now.idle)} idle`);
    tiles.memory.put(now.each || null, now.resident, now.each ?
        `${megabytes(now.resident)} in all` :
        `${megabytes(now.resident)} in all; open 1,000 to see`);
    find("#resident").textContent = megabytes(now.resident);
    find("#stacks").textContent = megabytes(now.stacks);
    find("#conns").textContent = count(now.conns);
    find("#turned").textContent = count(now.turned);
    find("#spawned").textContent = count(now.spawned);
    find("#requests").textContent = count(now.requests);
    histogram.put("server", now.server);
    histogram.put("clients", now.clients);
    histogram.draw();
    buttons.idlers.put(now.idlers);
    buttons.load.put(now.load);
}

/* A browser tries again when the connection broke, but not when the server said
   no: there are as many other viewers as it takes. */
function lost() {
    document.body.className = "lost";
    find("#state").textContent = "no answer, trying again";
    if (source && source.readyState === EventSource.CLOSED) {
        leave();
        later = setTimeout(listen, AGAIN);
    }
}

let source = null, later = 0;

function listen() {
    clearTimeout(later);
    if (source)
        return;
    source = new EventSource("events");
    source.addEventListener("begin", begin);
    source.addEventListener("message", update);
    source.addEventListener("error", lost);
}

function leave() {
    clearTimeout(later);
    if (source)
        source.close();
    source = null;
}

/* A page in a tab that nobody sees needs no numbers, and browsers have but six
   connections for all tabs of a site. */
function seen() {
    clearTimeout(later);
    if (!document.hidden)
        listen();
    else
        later = setTimeout(leave, UNSEEN);
}

document.querySelectorAll(".host").forEach(e => {
    e.textContent = location.origin;
});
find("#state").textContent = "connecting";
document.addEventListener("visibilitychange", seen);
seen();
