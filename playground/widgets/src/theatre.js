// The loop theatre: one step of the event loop at a time, on a stage, with a sentence. It decides what is shown, which is a
// place in the play, and how a reader goes from place to place; what stands at a place is `play`'s, elements are `stage`'s,
// and words come in the packet. It is a closure and no class, as is `play`, for the bundle's sake: a minifier shortens a
// closure's names, and not an object's.

import { make, makeButton } from './dom.js';
import { formatCount, formatMoment } from './format.js';
import { choicesAt, verdict } from './guess.js';
import { BLOCKED } from './kinds.js';
import { makePlay } from './play.js';
import { buildShell } from './shell.js';
import { glide, setStage } from './stage.js';
import { claim } from './steering.js';
import css from './theatre.css';
import { followTheme, setColours } from './theme.js';
import { throttle } from './throttle.js';

const TOLD_MS = 1000;  // between two steps: a voice could not keep up with more
const UPDATE_MS = 1000 / 15;  // of `step` to the kernel
const CARD = 47;  // height of a card, with its gap
const ABOVE = 74;  // of the cards
const HEIGHT = 420;
const PLAY = 3;  // among the buttons

/** @type {import('./open.js').Opener} */
// Long, as one closure: every deed moves the one place and redraws the one stage. What is drawn is in stage.js.
export function showTheatre(host, packet, state) {
  const play = makePlay(packet);
  const { header, steps } = play;
  const { words } = header;
  const aborter = new AbortController();
  const { signal } = aborter;
  let place = clamp(state.get('step') ?? header.opens, steps);
  let open = place;  // while a reader guesses, what comes after this place is hidden
  let guessing = state.get('predict') === true;
  let answer = '';
  let timer = 0;
  let height = state.get('height') ?? HEIGHT;
  /** @type {import('./theme.js').Theme} */
  let theme;
  const guesses = { right: 0, wrong: 0 };

  const { root, buttons, live, fill, header: head } = buildShell(host, { ...header, title: state.get('title') || header.title, summary: '' }, css);
  const said = make('p', { class: 'said' });
  const asked = make('div', { class: 'asked', role: 'group', 'aria-label': words.ask });
  const stage = make('div', { class: 'stage' });
  const slider = /** @type {HTMLInputElement} */ (make('input', { type: 'range', max: String(steps), tabindex: '0', 'aria-label': words.step, 'aria-description': words.keys }));
  const speed = /** @type {HTMLSelectElement} */ (make('select', { 'aria-label': words.speed }, ...words.speeds.map((/** @type {[string]} */ [name]) => make('option', {}, name))));
  speed.selectedIndex = 1;
  const report = throttle((/** @type {number} */ at) => state.set('step', at), UPDATE_MS, signal);
  const deeds = [() => predict(!guessing, true), () => go(0), () => go(place - 1), () => (timer ? pause() : start()), () => go(place + 1), () => go(steps)];
  const made = deeds.map((deed, i) => makeButton(words.buttons[i][0], { title: words.buttons[i][2], label: words.buttons[i][1] }, deed, signal));
  made[PLAY].classList.add('play');
  buttons.append(...made, speed);
  fill(said, asked, stage, make('div', { class: 'scrub' }, slider, ...header.notes.map((/** @type {string} */ note) => make('p', {}, note))));

  /** @param {number} to @param {boolean} [byHand] @param {string} [told] */
  function go(to, byHand = true, told = '') {
    const next = clamp(to, guessing ? open : steps);
    if (next < to) pause();
    if (next === place) return draw();
    place = next;
    answer = told;
    glide(stage, draw);
    if (byHand) report(place);
  }

  function start() {
    const [, everyMs, stride] = words.speeds[speed.selectedIndex];
    clearInterval(timer);
    timer = setInterval(() => go(place + stride), everyMs);
    go(place === steps ? 0 : place);
  }

  function pause() {
    clearInterval(timer);
    timer = 0;
    draw();
  }

  /** @param {boolean} on @param {boolean} [byHand] */
  function predict(on, byHand) {
    guessing = on;
    open = place;
    answer = '';
    if (byHand) state.set('predict', on);
    pause();
  }

  /** @param {import('./guess.js').Choice} choice */
  function choose(choice) {
    const told = verdict(play, place, choice);
    guesses[choice.right ? 'right' : 'wrong'] += 1;
    state.set('guesses', { ...guesses });
    open = place + 2 < steps ? place + 1 : steps;  // after the last step nothing is left to guess
    go(place + 1, true, told);
    slider.focus();
  }

  /** Ask what runs next, if that is hidden; gives what a voice says of it. */
  function ask() {
    const choices = guessing && place === open && place + 1 < steps ? choicesAt(play, place) : [];
    asked.hidden = !choices[0];
    asked.replaceChildren(make('strong', {}, words.ask), ...choices.map((choice, i) => {
      const button = makeButton('', { title: choice.note }, () => choose(choice), signal);
      button.append(make('kbd', {}, `${i + 1}`), choice.words, make('small', {}, choice.note));
      button.tabIndex = -1;
      return button;
    }), make('small', {}, `${guesses.right} ${words.rights}, ${guesses.wrong} ${words.wrongs}`));
    return choices.map((choice, i) => `${i ? '' : words.ask} ${i + 1}: ${choice.words}, ${choice.note}.`);
  }

  function draw() {
    if (!theme) return;
    const groups = play.state(place, Math.floor((height - ABOVE) / CARD), guessing);
    stage.style.minHeight = `${height}px`;
    setStage(stage, groups, play.source(place), words, theme);
    const step = `${words.step} ${formatCount(Math.min(place + 1, steps))} ${words.of} ${formatCount(steps)}`;
    head.children[2].textContent = `${formatMoment(play.columns.moment[place], 1e4)} · ${step}`;
    said.replaceChildren(make('em', {}, answer && `${answer} `), ...play.sentence(place, guessing).map(([style, text]) => (style === 'text' ? text : make(style, {}, text))));
    root.classList.toggle('bad', groups[1].cards[0]?.kind === BLOCKED);
    slider.value = host.dataset.step = `${place}`;
    slider.setAttribute('aria-valuetext', step);
    made[0].setAttribute('aria-pressed', `${guessing}`);
    const [sign, label] = timer ? words.pause : words.buttons[PLAY];
    made[PLAY].textContent = sign;
    made[PLAY].setAttribute('aria-label', label);
    const voiced = [said.textContent, ...ask()].join(' ');
    if (!timer || words.speeds[speed.selectedIndex][1] >= TOLD_MS) live.textContent = voiced;
  }

  slider.addEventListener('input', () => go(Number(slider.value)), { signal });
  speed.addEventListener('change', () => timer && start(), { signal });
  root.addEventListener('keydown', (event) => {
    const { key } = event;
    const on = event.composedPath()[0];
    const deed = asked.querySelectorAll('button')[Number(key) - 1] ?? made[words.buttons.findIndex((/** @type {string[]} */ button) => button[3] === key)];
    if (!deed || event.ctrlKey || event.metaKey || event.altKey || on === speed || (key === ' ' && on !== slider)) return;
    claim(event);
    deed.click();
  }, { signal });
  state.follow('step', (step) => step !== place && go(step, false));
  state.follow('predict', (on) => on !== guessing && predict(on));
  followTheme(document, (next) => {
    setColours(root, (theme = next));
    draw();
  }, signal);
  return {
    destroy: () => {
      clearInterval(timer);
      aborter.abort();
    },
    fill: (whole) => {
      height = clamp(whole - root.offsetHeight + stage.offsetHeight, 760);
      draw();
    },
  };
}

/** @param {number} value @param {number} most */
const clamp = (value, most) => Math.max(0, Math.min(value, most));
