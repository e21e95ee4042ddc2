// SPDX-License-Identifier: GPL-3.0-or-later
// The page of the stand-in Slack. What arrives is text: it is put on the page as text, never as HTML.
"use strict";

const EXAMPLES = [
  "fix #54 in agent-smith-test",
  "fix #101 in agent-smith-test",
  "list tickets in agent-smith-test",
  'create ticket "Add logging" in agent-smith-test',
];

const EMOJIS = {
  books: "📚", bulb: "💡", bust_in_silhouette: "👤", file_folder: "📁", gear: "⚙️", hourglass: "⌛", link: "🔗", mag: "🔍", memo: "📝",
  question: "❓", rocket: "🚀", rotating_light: "🚨", shrug: "🤷", test_tube: "🧪", thought_balloon: "💭", ticket: "🎫",
  white_check_mark: "✅", x: "❌", zap: "⚡",
};

// Slack's markup, as far as the Dispatcher uses it, the strongest first
const MARKUP = [
  [/```([\s\S]+?)```/, (match) => element("pre", {}, match[1])],
  [/`([^`\n]+)`/, (match) => element("code", {}, match[1])],
  [/<(https?:\/\/[^|>\s]+)\|([^>]+)>/, (match) => element("a", { href: match[1], rel: "noreferrer" }, match[2])],
  [/<@(\w+)>/, (match) => `@${match[1]}`],
  [/\*([^*\n]+)\*/, (match) => element("strong", {}, ...marked(match[1]))],
  [/(?<!\w)_([^_\n]+)_(?!\w)/, (match) => element("em", {}, ...marked(match[1]))],
  [/:([a-z_]+):/, (match) => EMOJIS[match[1]] ?? match[0]],
];

const byId = (id) => document.getElementById(id);
const channels = new Map();
let current = null;

function element(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function marked(text) {
  for (const [pattern, make] of MARKUP) {
    const match = pattern.exec(text);
    if (match) {
      const rest = text.slice(match.index + match[0].length);
      return [...marked(text.slice(0, match.index)), make(match), ...marked(rest)];
    }
  }
  return text ? [text] : [];
}

async function call(method, path, body) {
  const options = { method };
  if (body) Object.assign(options, { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
  const response = await fetch(`/stand-in${path}`, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

// Runs what a person has asked for, and shows what went wrong with it.
async function attempt(work) {
  byId("problem").textContent = "";
  try {
    await work();
  } catch (error) {
    byId("problem").textContent = `This did not work: ${error.message}`;
  }
}

function channelButton(channel) {
  const button = element("button", { type: "button", "data-channel": channel.id }, `# ${channel.name}`);
  button.addEventListener("click", () => attempt(() => show(channel.id)));
  return button;
}

function addChannel(channel) {
  if (channels.has(channel.id)) return;
  channels.set(channel.id, channel);
  byId("channels").append(element("li", {}, channelButton(channel)));
}

async function show(id) {
  current = id;
  for (const button of byId("channels").querySelectorAll("button")) {
    button.setAttribute("aria-current", String(button.dataset.channel === id));
    if (button.dataset.channel === id) button.classList.remove("unread");
  }
  byId("channel-title").textContent = `# ${channels.get(id).name}`;
  const { messages } = await call("GET", `/channels/${id}/messages`);
  if (current !== id) return;
  byId("messages").replaceChildren(...messages.map((message) => messageNode(id, message)));
  byId("messages").scrollTop = byId("messages").scrollHeight;
}

function bodyNodes(channelId, message) {
  // Slack shows the text of a message with blocks in notifications only
  if (!message.blocks) return [element("div", { class: "body" }, ...marked(message.text))];
  return message.blocks.map((block) =>
    block.type === "actions"
      ? element("div", { class: "actions" }, ...block.elements.map((action) => actionNode(channelId, message, action)))
      : element("div", { class: "body" }, ...marked([block.text, ...block.fields ?? []].map((part) => part?.text).filter(Boolean).join("\n"))));
}

// Slack opens the address of a button that has one, and tells the app of it as of any other
function actionNode(channelId, message, action) {
  const label = marked(action.text.text);
  const style = { class: `button ${action.style ?? ""}` };
  const node = /^https?:/i.test(action.url ?? "")
    ? element("a", { ...style, href: action.url, target: "_blank", rel: "noreferrer" }, ...label)
    : element("button", { ...style, type: "button" }, ...label);
  node.addEventListener("click", () => attempt(async () => {
    node.disabled = true;
    try {
      const { delivery } = await call("POST", `/channels/${channelId}/messages/${message.ts}/actions`, { action_id: action.action_id });
      if (delivery !== "delivered") throw new Error(delivery);
    } finally {
      node.disabled = false;
    }
  }));
  return node;
}

function messageNode(channelId, message) {
  const name = message.bot_id ? "Agent Smith" : "You";
  const time = new Date(Number(message.ts) * 1000);
  const author = element("div", { class: "author" }, name,
    element("time", { datetime: time.toISOString() }, time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" })));
  if (message.edited) author.append(element("span", { class: "edited" }, "(edited)"));
  const node = element("li", { class: `message ${message.bot_id ? "bot" : "person"}`, "data-ts": message.ts },
    element("div", { class: "avatar", "aria-hidden": "true" }, message.bot_id ? "AS" : "Y"),
    author,
    element("div", {}, ...bodyNodes(channelId, message)));
  if (message.delivery && message.delivery !== "delivered") {
    node.lastChild.append(element("div", { class: "delivery" }, `Not delivered: ${message.delivery}`));
  }
  return node;
}

function takeChange(change) {
  if (change.channel) {
    addChannel(change.channel);
  } else if (change.channel_id !== current) {
    byId("channels").querySelector(`[data-channel="${change.channel_id}"]`)?.classList.add("unread");
  } else {
    const list = byId("messages");
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
    const node = messageNode(current, change.message);
    const old = list.querySelector(`[data-ts="${change.message.ts}"]`);
    if (old) old.replaceWith(node);
    else list.append(node);
    if (atEnd) list.scrollTop = list.scrollHeight;
  }
}

function connect() {
  const changes = new EventSource("/stand-in/changes");
  const connection = byId("connection");
  changes.addEventListener("open", () => attempt(async () => {
    // What has happened while there was no connection is asked for: Slack may have been restarted, too.
    const answer = await call("GET", "/channels");
    channels.clear();
    byId("channels").replaceChildren();
    answer.channels.forEach(addChannel);
    await show(channels.has(current) ? current : answer.channels[0].id);
    connection.textContent = "connected";
    connection.className = "open";
  }));
  changes.addEventListener("error", () => {
    connection.textContent = "connecting…";
    connection.className = "";
  });
  changes.addEventListener("message", (event) => takeChange(JSON.parse(event.data)));
}

byId("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = byId("text").value;
  attempt(async () => {
    await call("POST", `/channels/${current}/messages`, { text });
    byId("text").value = "";
  });
});

byId("new-channel").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const channel = await call("POST", "/channels", { name: byId("channel-name").value });
    addChannel(channel);
    byId("channel-name").value = "";
    await show(channel.id);
  });
});

for (const example of EXAMPLES) {
  const button = element("button", { type: "button" }, example);
  button.addEventListener("click", () => {
    byId("text").value = example;
    byId("text").focus();
  });
  byId("examples").append(button);
}

connect();
