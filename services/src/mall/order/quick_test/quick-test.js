// The quick-test panel: posts a test event, shows Kafka's acknowledgement, asks until the event was consumed.
const ADDRESS = "/api/diagnostics/kafka/order-events";
const DEADLINE_MS = 5000;
const PAUSE_MS = 100;
const SHOWN = 20;

const TEXTS = {
  en: {
    title: "Kafka quick test", lead: "Send one test event to order-events and watch it come back.",
    token: "Access token", tokenHint: "“treaty token” prints one. It stays in this tab.",
    key: "Key (optional)", operator: "Operator (optional)", note: "Note (optional)", send: "Send test event",
    way: "The event's way", stepSent: "Sent to the order service", stepAck: "Acknowledged by Kafka",
    stepConsumed: "Consumed by quick-check", last: "Latest events", time: "Time", type: "Type", columnKey: "Key",
    place: "Topic / partition / offset", eventId: "Event id", roundTrip: "Round trip", none: "None yet.",
    waiting: "waiting…", notConsumed: "Not consumed within 5 s.", next: "Next", unreachable: "The order service does not answer.",
    schema: "schema", language: "中文", languageCode: "zh",
  },
  zh: {
    title: "Kafka 快速测试", lead: "向 order-events 发送一条测试事件，并观察它被消费。",
    token: "访问令牌", tokenHint: "运行“treaty token”可获得令牌；令牌只保存在本标签页。",
    key: "键（可选）", operator: "操作人（可选）", note: "备注（可选）", send: "发送测试事件",
    way: "事件的路径", stepSent: "已发送到订单服务", stepAck: "Kafka 已确认",
    stepConsumed: "quick-check 已消费", last: "最近的事件", time: "时间", type: "类型", columnKey: "键",
    place: "主题 / 分区 / 偏移量", eventId: "事件编号", roundTrip: "往返时间", none: "暂无。",
    waiting: "等待中…", notConsumed: "5 秒内未被消费。", next: "下一步", unreachable: "订单服务没有响应。",
    schema: "模式", language: "English", languageCode: "en",
  },
};

const at = (id) => document.getElementById(id);
let locale = (sessionStorage.getItem("language") ?? navigator.language).startsWith("zh") ? "zh" : "en";
const say = (name) => TEXTS[locale][name];

function translate() {
  document.documentElement.lang = locale;
  document.title = say("title");
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = say(element.dataset.text);
  at("language").textContent = say("language");
  at("language").lang = say("languageCode");
}

function step(name, state, text = "") {
  const item = at(`step-${name}`);
  item.dataset.state = state;
  item.querySelector("output").textContent = text;
}

function problem(message, next) {
  at("problem").hidden = !message;
  at("problem").textContent = message ? `${message} ${next ? `${say("next")}: ${next}` : ""}` : "";
}

async function call(path, options = {}) {
  const headers = { Authorization: `Bearer ${at("token").value.trim()}`, "Content-Type": "application/json" };
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch {
    throw { message: say("unreachable"), next: "treaty up" };
  }
  const answer = await response.json();
  if (!response.ok) throw answer;
  return answer;
}

const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

async function consumed(eventId) {
  const end = performance.now() + DEADLINE_MS;
  while (performance.now() < end) {
    const answer = await call(`${ADDRESS}/${eventId}`);
    if (answer.state === "consumed") return answer.milliseconds;
    await pause();
  }
  throw { message: say("notConsumed"), next: "treaty doctor" };
}

function remember(receipt, milliseconds) {
  document.querySelector("#events .empty")?.remove();
  const row = document.createElement("tr");
  const place = `${receipt.topic} / ${receipt.partition} / ${receipt.offset}`;
  const time = new Date(receipt.time).toLocaleTimeString(locale);
  for (const text of [time, receipt.event_type, receipt.key, place, receipt.event_id, `${milliseconds} ms`]) {
    row.insertCell().textContent = text;
  }
  at("events").prepend(row);
  while (at("events").rows.length > SHOWN) at("events").lastElementChild.remove();
}

async function send() {
  problem("");
  for (const name of ["sent", "ack", "consumed"]) step(name, "idle");
  const body = Object.fromEntries(
    ["key", "operator", "note"].map((name) => [name, at(name).value.trim()]).filter(([, value]) => value),
  );
  const began = performance.now();
  let current = "sent";
  try {
    step("sent", "waiting", say("waiting"));
    const receipt = await call(ADDRESS, { method: "POST", body: JSON.stringify(body) });
    const acknowledged = Math.round(performance.now() - began);
    step("sent", "done", receipt.event_type);
    step("ack", "done", `${receipt.topic}/${receipt.partition}/${receipt.offset}, ${say("schema")} ${receipt.schema_id}, ${acknowledged} ms`);
    current = "consumed";
    step("consumed", "waiting", say("waiting"));
    const milliseconds = await consumed(receipt.event_id);
    step("consumed", "done", `${milliseconds} ms`);
    remember(receipt, milliseconds);
  } catch (error) {
    step(current, "failed", error.error ?? "");
    problem(error.message ?? String(error), error.next);
  }
}

at("send").addEventListener("submit", async (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", at("token").value);
  at("submit").disabled = true;
  await send();
  at("submit").disabled = false;
});
at("language").addEventListener("click", () => {
  locale = locale === "en" ? "zh" : "en";
  sessionStorage.setItem("language", locale);
  translate();
});

// A link may carry the token behind the #, which browsers never send to a server.
const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  history.replaceState(null, "", location.pathname);
  sessionStorage.setItem("token", given); // so that a reload does not lose it
}
at("token").value = given ?? sessionStorage.getItem("token") ?? "";
translate();
