// The loop theatre: one step of the event loop at a time, on a stage, with a sentence. It decides what is shown, which is a
// place in the play, and how a reader goes from place to place; what stands at a place is `play`'s, elements are `stage`'s,
// and words come in the packet.

import { make, makeButton } from './dom.js';
import { formatCount, formatMoment } from './format.js';
import { choicesAt, verdict } from './guess.js';
import { BLOCKED } from './kinds.js';
import { makePlay } from './play.js';
import { buildShell } from './shell.js';
import { glide, setStage } from './stage.js';
import css from './theatre.css';
import { followTheme, setColours } from './theme.js';
import { throttle } from './throttle.js';

const TOLD_MS = 1000;  // while it plays: a voice could not keep up with more
const UPDATE_MS = 1000 / 15;  // of `step` to the kernel
const CARD = 47;  // height of a card, with its gap
const LINE = 19;

/** @type {import('./open.js').Opener} */
export function showTheatre(host, packet, state) {
  const play = makePlay(packet);
  const { header, steps } = play;
  const { words } = header;
  const aborter = new AbortController();
  const { signal } = aborter;
  const title = state.get('title') || header.title;
  let place = 0;
  let guessing = state.get('predict') === true;
  let open = 0;  // while a reader guesses, what comes after this place is hidden
  let answer = '';
  let timer = 0;
  let height = 0;
  /** @type {import('./theme.js').Theme} */
  let theme;
  const guesses = { right: 0, wrong: 0 };

  const { root, buttons, live, fill, header: head } = buildShell(host, { title, clock: header.clock, summary: '', dropped: header.dropped }, css);
  const said = make('p', { class: 'said', 'data-testid': 'theatre-sentence' });
  const asked = make('div', { class: 'asked', role: 'group', 'aria-label': words.ask, 'data-testid': 'theatre-question' });
  const stage = make('div', { class: 'stage', 'data-testid': 'theatre-stage' });
  const slider = /** @type {HTMLInputElement} */ (make('input', { type: 'range', min: '0', max: String(steps), tabindex: '0', 'aria-label': words.slider, 'aria-description': words.keys }));
  const speed = /** @type {HTMLSelectElement} */ (make('select', { 'aria-label': words.speed }, ...words.speeds.map((/** @type {[string]} */ [name], /** @type {number} */ i) => make('option', { value: String(i) }, name))));
  speed.value = '1';
  const report = throttle((/** @type {number} */ at) => state.set('step', at), UPDATE_MS, signal);
  const tell = throttle((/** @type {string} */ text) => { live.textContent = text; }, TOLD_MS, signal);

  /** @type {(() => void)[]} in the order of their words */
  const deeds = [() => setPredict(!guessing, true), () => go(0), () => go(place - 1), () => toggle(), () => go(place + 1), () => go(steps)];
  const made = deeds.map((deed, i) => makeButton(words.buttons[i][0], { title: words.buttons[i].slice(1).join(' '), label: words.buttons[i][1] }, deed, signal));
  const [predict, , , player] = made;
  player.classList.add('play');
  const keys = { ' ': 3, Home: 1, End: 5, ArrowLeft: 2, ArrowDown: 2, ArrowRight: 4, ArrowUp: 4 };
  buttons.append(...made, speed);
  fill(said, asked, stage, make('div', { class: 'scrub' }, slider, ...header.notes.map((/** @type {string} */ note) => make('p', {}, note))));

  /** @param {number} to @param {boolean} [byHand] */
  function go(to, byHand = true) {
    const next = Math.max(0, Math.min(to, guessing ? open : steps));
    if (next < to) pause();
    if (next === place) return;
    place = next;
    answer = '';
    glide(stage, draw);
    if (byHand) report(place);
  }

  function toggle() {
    if (timer) pause();
    else start();
  }

  function start() {
    if (place === steps) go(0);
    const [, everyMs, stride] = words.speeds[Number(speed.value)];
    clearInterval(timer);
    timer = setInterval(() => go(place + stride), everyMs);
    showPlaying();
  }

  function pause() {
    clearInterval(timer);
    timer = 0;
    showPlaying();
  }

  function showPlaying() {
    host.dataset.playing = String(timer > 0);
    player.textContent = timer ? words.pause[0] : words.buttons[3][0];
    player.setAttribute('aria-label', timer ? words.pause[1] : words.buttons[3][1]);
  }

  /** @param {boolean} on @param {boolean} [byHand] */
  function setPredict(on, byHand) {
    pause();
    guessing = on;
    open = place;
    answer = '';
    if (byHand) state.set('predict', on);
    draw();
  }

  /** @param {import('./guess.js').Choice} choice */
  function choose(choice) {
    guesses[choice.right ? 'right' : 'wrong'] += 1;
    state.set('guesses', { ...guesses });
    const told = verdict(play, place, choice);
    open = place + 1;
    go(open);
    answer = told;
    draw();
    slider.focus();
  }

  /** Ask what runs next, if that is still hidden; gives what a voice says of it. */
  function ask() {
    const choices = guessing && place === open && place + 1 < steps ? choicesAt(play, place) : [];
    if (open + 1 >= steps) open = steps;  // nothing is left to guess
    asked.hidden = choices.length === 0;
    asked.replaceChildren(make('strong', {}, words.ask), ...choices.map((choice, i) => {
      const button = makeButton('', { title: '' }, () => choose(choice), signal);
      button.append(make('kbd', {}, String(i + 1)), choice.words, make('small', {}, choice.note));
      button.tabIndex = -1;
      return button;
    }), make('small', {}, `${guesses.right} ${words.rights}, ${guesses.wrong} ${words.wrongs}`));
    return choices.length ? [words.ask, ...choices.map((choice, i) => `${i + 1}: ${choice.words}, ${choice.note}.`)] : [];
  }

  function draw() {
    if (!theme) return;
    const groups = play.state(place, Math.floor((height - 74) / CARD), guessing);
    setStage(stage, groups, play.source(place, Math.floor(height / LINE / 2) - 4), words, theme);
    const step = `${words.step} ${formatCount(Math.min(place + 1, steps))} ${words.of} ${formatCount(steps)}`;
    if (head.children[2]) head.children[2].textContent = `${formatMoment(play.at(place), 1e4)} · ${step}`;
    said.replaceChildren(...(answer ? [make('em', {}, answer), ' '] : []), ...play.sentence(place, guessing).map(([style, text]) => (style === 'text' ? text : make(style, {}, text))));
    root.classList.toggle('bad', groups[1].cards[0]?.kind === BLOCKED);
    slider.value = String(place);
    slider.setAttribute('aria-valuetext', step);
    predict.setAttribute('aria-pressed', String(guessing));
    const voiced = [said.textContent, ...ask()].join(' ');
    if (timer) tell(voiced);
    else live.textContent = voiced;
    host.dataset.step = String(place);
  }

  /** @param {number} pixels */
  function setHeight(pixels) {
    height = Math.max(240, pixels);
    stage.style.minHeight = `${height}px`;
    draw();
  }

  slider.addEventListener('input', () => go(Number(slider.value)), { signal });
  speed.addEventListener('change', () => timer && start(), { signal });
  root.addEventListener('keydown', (event) => {
    const { key, ctrlKey, metaKey, altKey } = event;
    const on = event.composedPath()[0];
    const deed = asked.querySelectorAll('button')[Number(key) - 1] ?? made[keys[/** @type {' '} */ (key)]];
    if (!deed || ctrlKey || metaKey || altKey || on === speed || (key === ' ' && on instanceof HTMLButtonElement)) return;
    event.preventDefault();
    event.stopPropagation();
    deed.click();
  }, { signal });
  state.follow('step', (step) => go(step, false));
  state.follow('predict', (on) => on !== guessing && setPredict(on));
  followTheme(document, (next) => {
    setColours(root, (theme = next));
    draw();
  }, signal);
  showPlaying();
  setHeight(state.get('height') ?? 420);
  go(state.get('step') ?? 0, false);
  open = place;
  draw();
  return {
    destroy: () => {
      clearInterval(timer);
      aborter.abort();
    },
    fill: (whole) => setHeight(Math.min(760, whole - root.offsetHeight + stage.offsetHeight)),
  };
}
