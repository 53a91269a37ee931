// What the page shows. No token comes here.

export const element = (id) => document.getElementById(id);

/** Show the state of something: `good`, `bad` or `none`, and a text. */
export function show(id, state, text) {
  element(id).dataset.state = state;
  element(id).textContent = text;
}

/** Show a problem, or that there is none any more. */
export function showProblem(text = '') {
  element('problem').textContent = text;
  element('problem').hidden = text === '';
}

export function note(text) {
  const item = document.createElement('li');
  const time = document.createElement('time');
  time.textContent = new Date().toLocaleTimeString('en-GB');
  item.append(time, ` ${text}`);
  element('events').prepend(item);
  while (element('events').children.length > 8) element('events').lastChild.remove();
}

export function showRooms(rooms) {
  const items = rooms.map((room) => {
    const item = document.createElement('li');
    item.textContent = room.name;
    return item;
  });
  element('rooms').replaceChildren(...items.slice(-4));
}

/** Show the widget's options; what is secret in them stays in memory. */
export function showWidget(options) {
  const shown = { ...options, token: '…', user_key: '…' };
  element('widget').textContent = JSON.stringify(shown, null, 2);
}
