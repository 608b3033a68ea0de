// What a JavaScript service does with a registry, by the client that most of them use. Usage: node client.js URL
import assert from "node:assert/strict";
import confluent from "@kafkajs/confluent-schema-registry";

const { SchemaRegistry, SchemaType, COMPATIBILITY } = confluent;
const registry = new SchemaRegistry({ host: process.argv[2] });

const record = (...more) => ({
  type: SchemaType.AVRO,
  schema: JSON.stringify({
    type: "record",
    name: "OrderCreated",
    namespace: "mall.order",
    fields: [{ name: "order_id", type: "string" }, ...more],
  }),
});
const subject = "javascript-order-value";
const options = { subject, compatibility: COMPATIBILITY.BACKWARD };

const first = await registry.register(record(), options);
const again = await registry.register(record(), options);
assert.equal(again.id, first.id, "the same schema has the same id");

const newer = record({ name: "note", type: "string", default: "" });
const second = await registry.register(newer, options);
assert.notEqual(second.id, first.id);
assert.equal(await registry.getLatestSchemaId(subject), second.id);
assert.equal(await registry.getRegistryId(subject, 1), first.id);
assert.equal(await registry.getRegistryIdBySchema(subject, newer), second.id);

await assert.rejects(registry.register(record({ name: "total", type: "long" }), options), /incompatible/i);
await assert.rejects(registry.getLatestSchemaId("javascript-unknown"), /not found/i);

const message = await registry.encode(first.id, { order_id: "o-1" });
assert.equal(message[0], 0);
assert.equal(message.readInt32BE(1), first.id);
assert.deepEqual({ ...(await registry.decode(message)) }, { order_id: "o-1" });
assert.equal((await registry.getSchema(second.id)).type ?? "record", "record");
