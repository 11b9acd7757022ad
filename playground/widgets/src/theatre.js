// The loop theatre: one step of the event loop at a time, on a stage, with a sentence. It decides what is shown, which is a
// place in the play, and how a reader goes from place to place; what stands at a place is `play`'s, elements are `stage`'s.

import { make, makeButton } from './dom.js';
import { formatCount, formatMoment } from './format.js';
import { question, verdict } from './guess.js';
import { Play } from './play.js';
import { buildShell } from './shell.js';
import { glide, places, setStage } from './stage.js';
import css from './theatre.css';
import { followTheme, setColours } from './theme.js';
import { throttle } from './throttle.js';

/** @type {[string, number, number][]} what a speed is called, milliseconds between two moves, steps in a move */
const SPEEDS = [['slow', 2400, 1], ['normal', 1200, 1], ['fast', 400, 1], ['10 a second', 100, 1], ['100 a second', 50, 5]];
const TOLD_WHILE_PLAYING_MS = 1000;  // faster, a voice could not keep up
const UPDATE_MS = 1000 / 15;  // of `step` to the kernel
const CARD = 47;  // height of a card, with its gap
const LINE = 19;

/** @type {import('./open.js').Opener} */
export function showTheatre(host, packet, state) {
  return new TheatreView(host, new Play(packet), state);
}

export class TheatreView {
  /** @param {HTMLElement} host @param {Play} play @param {import('./state.js').State} state */
  constructor(host, play, state) {
    this.host = host;
    this.play = play;
    this.state = state;
    this.aborter = new AbortController();
    const { signal } = this.aborter;
    this.place = 0;
    this.open = 0;  // while a reader guesses, what comes after is hidden
    this.guesses = { right: 0, wrong: 0 };
    this.answer = '';
    this.timer = 0;
    this.most = 7;
    const title = state.get('title') || play.header.title;
    const shell = buildShell(host, { title, clock: play.header.clock, summary: '', dropped: play.header.dropped }, css);
    this.shell = shell;
    this.now = /** @type {HTMLElement} */ (shell.header.querySelector('.summary'));
    this.words = make('p', { class: 'said', 'data-testid': 'theatre-sentence' });
    this.asked = make('div', { class: 'asked', role: 'group', 'aria-label': 'What runs next?', 'data-testid': 'theatre-question', hidden: '' });
    this.stage = make('div', { class: 'stage', 'data-testid': 'theatre-stage' });
    this.slider = /** @type {HTMLInputElement} */ (make('input', {
      type: 'range', min: '1', max: String(play.steps + 1), tabindex: '0', 'aria-label': `Step of ${title}`,
      'aria-description': 'Arrow keys go from step to step, Home and End to the first and the last, Space plays and pauses; while it asks what runs next, a digit chooses.',
    }));
    this.addControls(signal);
    const notes = play.header.notes.map((/** @type {string} */ note) => make('p', { class: 'note' }, note));
    shell.fill(this.words, this.asked, this.stage, make('div', { class: 'scrub' }, this.slider, ...notes));
    this.tell = throttle((/** @type {string} */ words) => { shell.live.textContent = words; }, TOLD_WHILE_PLAYING_MS, signal);
    this.report = throttle((/** @type {number} */ place) => state.set('step', place), UPDATE_MS, signal);
    shell.root.addEventListener('keydown', (event) => this.key(event), { signal });
    state.follow('step', (step) => this.go(step, { byHand: false }));
    state.follow('predict', (predict) => this.setPredict(predict));
    followTheme(document, (theme) => this.setTheme(theme), signal);
    this.guessing = false;
    this.setHeight(state.get('height') ?? 420);
    this.setPredict(state.get('predict') === true);
    this.go(state.get('step') ?? 0, { byHand: false });
  }

  /** Let go of everything outside the view's own elements. */
  destroy() {
    this.pause();
    this.aborter.abort();
  }

  /** @param {AbortSignal} signal */
  addControls(signal) {
    const { buttons } = this.shell;
    buttons.setAttribute('aria-label', 'Play');
    const button = (/** @type {string} */ text, /** @type {string} */ label, /** @type {string} */ key, /** @type {() => void} */ act) => makeButton(text, { title: `${label} (${key})`, label }, act, signal);
    this.playing = button('▶', 'Play', 'Space', () => this.toggle());
    this.playing.classList.add('play');
    this.predict = makeButton('Predict', { title: 'Hide what comes next until you have chosen' }, () => this.setPredict(!this.guessing, true), signal);
    this.speed = /** @type {HTMLSelectElement} */ (make('select', { 'aria-label': 'Speed' }, ...SPEEDS.map(([words], i) => make('option', { value: String(i) }, words))));
    this.speed.value = '1';
    this.speed.addEventListener('change', () => this.timer !== 0 && this.start(), { signal });
    this.slider.addEventListener('input', () => this.go(Number(this.slider.value) - 1), { signal });
    buttons.append(this.predict,
      button('⏮', 'First step', 'Home', () => this.go(0)), button('◀', 'Step back', 'Left arrow', () => this.go(this.place - 1)), this.playing,
      button('▶|', 'Step', 'Right arrow', () => this.go(this.place + 1)), button('⏭', 'Last step', 'End', () => this.go(Infinity)), this.speed);
  }

  /** @param {import('./theme.js').Theme} theme */
  setTheme(theme) {
    this.theme = theme;
    setColours(this.shell.root, theme);
    if (this.guessing !== undefined) this.draw(false);
  }

  /** @param {number} height of the stage, in CSS pixels */
  setHeight(height) {
    this.height = Math.max(240, height);
    this.most = Math.max(2, Math.floor((this.height - 74) / CARD));
    this.stage.style.setProperty('--height', `${this.height}px`);
  }

  /** @param {number} height of the whole view */
  fill(height) {
    this.setHeight(Math.min(760, height - (this.shell.root.offsetHeight - this.stage.offsetHeight)));
    this.draw(false);
  }

  // -- from place to place ----------------------------------------------------------------------------------------

  /** @param {number} place @param {{ byHand?: boolean }} [how] */
  go(place, { byHand = true } = {}) {
    const end = Math.min(this.play.steps, this.guessing ? this.open : Infinity);
    const next = Math.max(0, Math.min(end, Math.trunc(Number(place)) || (place === Infinity ? end : 0)));
    if (this.guessing && place > next) this.pause();
    const moved = next !== this.place;
    this.place = next;
    if (moved) this.answer = '';
    this.draw(moved);
    if (byHand && moved) this.report(next);
  }

  toggle() {
    if (this.timer !== 0) this.pause();
    else this.start();
    this.tell(this.timer === 0 ? this.spoken() : 'Playing.');
  }

  start() {
    this.pause();
    if (this.place >= this.play.steps) this.go(0);
    const [, everyMs, steps] = SPEEDS[Number(this.speed?.value)];
    this.timer = setInterval(() => {
      this.go(this.place + steps);
      if (this.place >= this.play.steps) this.pause();
    }, everyMs);
    this.showPlaying();
  }

  pause() {
    clearInterval(this.timer);
    this.timer = 0;
    this.showPlaying();
  }

  showPlaying() {
    const words = this.timer === 0 ? 'Play' : 'Pause';
    this.playing?.replaceChildren(this.timer === 0 ? '▶' : '❚❚');
    this.playing?.setAttribute('aria-label', words);
    this.host.dataset.playing = String(this.timer !== 0);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { key, ctrlKey, metaKey, altKey } = event;
    const origin = event.composedPath()[0];
    if (ctrlKey || metaKey || altKey || origin === this.speed || (origin instanceof HTMLButtonElement && (key === ' ' || key === 'Enter'))) return;
    /** @type {Record<string, () => void>} */
    const keys = {
      ' ': () => this.toggle(), Home: () => this.go(0), End: () => this.go(Infinity), ArrowLeft: () => this.go(this.place - 1), ArrowDown: () => this.go(this.place - 1),
      ArrowRight: () => this.go(this.place + 1), ArrowUp: () => this.go(this.place + 1),
    };
    const choice = this.asked.hidden ? null : this.asked.querySelectorAll('button')[Number(key) - 1];
    if (choice == null && !Object.hasOwn(keys, key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (choice != null) choice.click();
    else keys[key]();
  }

  // -- guessing ---------------------------------------------------------------------------------------------------

  /** @param {boolean} predict @param {boolean} [byHand] */
  setPredict(predict, byHand = false) {
    this.guessing = predict === true;
    this.open = this.place;
    this.answer = '';
    this.pause();
    this.predict?.setAttribute('aria-pressed', String(this.guessing));
    if (byHand) this.state.set('predict', this.guessing);
    this.draw(false);
  }

  /** @param {string} key of the choice */
  choose(key) {
    const { isRight, words } = verdict(this.play, this.place, key);
    this.guesses[isRight ? 'right' : 'wrong'] += 1;
    this.state.set('guesses', { ...this.guesses });
    this.open = this.place + 1;
    this.go(this.open);
    this.answer = words;
    this.draw(false);
    this.slider.focus();
  }

  ask() {
    const asks = this.guessing && this.place === this.open && this.place + 1 < this.play.steps;
    if (this.guessing && !asks && this.place === this.open) this.open = this.play.steps;  // nothing is left to guess
    this.asked.hidden = !asks;
    if (!asks) return [];
    const { choices } = question(this.play, this.place);
    const { right, wrong } = this.guesses;
    this.asked.replaceChildren(make('strong', {}, 'What runs next?'), ...choices.map(({ key, words, note }, i) => {
      const button = make('button', { type: 'button', tabindex: '-1' }, make('kbd', {}, String(i + 1)), words, make('small', {}, note));
      button.addEventListener('click', () => this.choose(key), { signal: this.aborter.signal });
      return button;
    }), make('small', {}, right + wrong === 0 ? '' : `${right} right, ${wrong} wrong`));
    return choices.map(({ words, note }, i) => `${i + 1}: ${words}, ${note}.`);
  }

  // -- what is shown ----------------------------------------------------------------------------------------------

  spoken() {
    const asks = this.ask();
    return [this.answer, this.words.textContent, ...(asks.length === 0 ? [] : ['What runs next?', ...asks])].filter(Boolean).join(' ');
  }

  /** @param {boolean} moved whether cards may glide */
  draw(moved) {
    const { play, place, theme } = this;
    if (theme === undefined) return;
    const state = play.state(place, this.most, this.guessing);
    const before = moved ? places(this.stage) : new Map();
    setStage(this.stage, state, play.source(place, Math.floor((this.height ?? 420) / LINE / 2) - 4), theme);
    if (moved) glide(this.stage, before);
    const step = place < play.steps ? `step ${formatCount(place + 1)} of ${formatCount(play.steps)}` : `after ${formatCount(play.steps)} steps`;
    this.now.textContent = `${formatMoment(state.at, 1e4)} · ${step}`;
    this.words.replaceChildren(...(this.answer === '' ? [] : [make('strong', { class: 'answer' }, this.answer), ' ']),
      ...play.sentence(place, this.guessing).map(([style, text]) => (style === 'text' ? text : make(style, {}, text))));
    this.words.classList.toggle('bad', state.running?.kind === 9);
    this.slider.value = String(place + 1);
    this.slider.setAttribute('aria-valuetext', step);
    const words = this.spoken();
    if (this.timer === 0) this.shell.live.textContent = words;
    else this.tell(words);
    this.host.dataset.step = String(place);
  }
}
