// What a Java service and a Flink job do with a registry, by Confluent's own client as Flink ships it. Usage: java Client URL
import java.util.List;
import java.util.Map;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.avro.AvroSchema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.CachedSchemaRegistryClient;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.SchemaMetadata;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.SchemaReference;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericData;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericRecord;
import org.apache.flink.formats.avro.registry.confluent.ConfluentRegistryAvroDeserializationSchema;
import org.apache.flink.formats.avro.registry.confluent.ConfluentRegistryAvroSerializationSchema;

public class Client {
  static final String SUBJECT = "java-order-value";
  static final String HEAD = "{\"type\":\"record\",\"name\":\"OrderCreated\",\"namespace\":\"mall.order\",\"fields\":[";
  static final String ORDER_ID = "{\"name\":\"order_id\",\"type\":\"string\"}";
  static final AvroSchema FIRST = new AvroSchema(HEAD + ORDER_ID + "]}");
  static final AvroSchema SECOND =
      new AvroSchema(HEAD + ORDER_ID + ",{\"name\":\"note\",\"type\":\"string\",\"default\":\"\"}]}");
  static final AvroSchema BROKEN = new AvroSchema(HEAD + ORDER_ID + ",{\"name\":\"total\",\"type\":\"long\"}]}");

  interface Call {
    Object run() throws Exception;
  }

  static void same(Object expected, Object found, String what) {
    if (!expected.equals(found)) {
      throw new AssertionError(what + ": expected " + expected + ", got " + found);
    }
  }

  static void refused(int code, Call call, String what) throws Exception {
    try {
      throw new AssertionError(what + " was not refused: " + call.run());
    } catch (RestClientException error) {
      same(code, error.getErrorCode(), what + ": " + error.getMessage());
    }
  }

  // Each step with a client of its own: one that remembers would not ask.
  static CachedSchemaRegistryClient client(String url) {
    return new CachedSchemaRegistryClient(url, 100);
  }

  static void registers(String url) throws Exception {
    int first = client(url).register(SUBJECT, FIRST);
    same(first, client(url).register(SUBJECT, FIRST), "the id of the same schema");
    int second = client(url).register(SUBJECT, SECOND);
    same(List.of(1, 2), client(url).getAllVersions(SUBJECT), "versions");
    same(first, client(url).getId(SUBJECT, FIRST), "lookup of the first");
    same(2, client(url).getVersion(SUBJECT, SECOND), "lookup of the second");
    SchemaMetadata latest = client(url).getLatestSchemaMetadata(SUBJECT);
    same(List.of(second, 2, SECOND.canonicalString()), List.of(latest.getId(), latest.getVersion(), latest.getSchema()), "latest");
    same(SECOND, client(url).getSchemaById(second), "by id");
    same(FIRST, client(url).getSchemaBySubjectAndId(SUBJECT, first), "by subject and id");
    same(List.of(SUBJECT), List.copyOf(client(url).getAllSubjectsById(first)), "subjects of an id");
    same(List.of(SUBJECT), List.copyOf(client(url).getAllSubjects()), "subjects");
  }

  static void checks(String url) throws Exception {
    same(true, client(url).testCompatibility(SUBJECT, SECOND), "a compatible schema");
    same(false, client(url).testCompatibility(SUBJECT, BROKEN), "an incompatible schema");
    String why = client(url).testCompatibilityVerbose(SUBJECT, BROKEN).toString();
    same(true, why.contains("READER_FIELD_MISSING_DEFAULT_VALUE"), why);
    refused(40901, () -> client(url).register(SUBJECT, BROKEN), "an incompatible registration");
    refused(40401, () -> client(url).getLatestSchemaMetadata("java-unknown"), "an unknown subject");
    refused(40403, () -> client(url).getSchemaById(1_000_000), "an unknown id");
    same("FULL", client(url).updateCompatibility(SUBJECT, "FULL"), "the level that was set");
    same("FULL", client(url).getCompatibility(SUBJECT), "the level");
  }

  static void refers(String url) throws Exception {
    SchemaReference to = new SchemaReference("mall.order.OrderCreated", SUBJECT, 1);
    String text = "{\"type\":\"record\",\"name\":\"Basket\",\"namespace\":\"mall.order\",\"fields\":"
        + "[{\"name\":\"order\",\"type\":\"mall.order.OrderCreated\"}]}";
    AvroSchema basket =
        new AvroSchema(text, List.of(to), Map.of("mall.order.OrderCreated", FIRST.canonicalString()), null);
    int id = client(url).register("java-basket-value", basket);
    AvroSchema found = (AvroSchema) client(url).getSchemaById(id);
    same(List.of(to), found.references(), "references");
    same(FIRST.rawSchema(), found.rawSchema().getField("order").schema(), "what is referred to");
    refused(42206, () -> client(url).deleteSubject(SUBJECT), "a delete of what is referred to");
    client(url).deleteSubject("java-basket-value");
    client(url).deleteSubject("java-basket-value", true);
  }

  static void encodes(String url) throws Exception {
    GenericRecord order = new GenericData.Record(FIRST.rawSchema());
    order.put("order_id", "o-1");
    byte[] data = ConfluentRegistryAvroSerializationSchema.forGeneric(SUBJECT, FIRST.rawSchema(), url).serialize(order);
    same((byte) 0, data[0], "the magic byte");
    same((byte) client(url).getId(SUBJECT, FIRST), data[4], "the id in front of a record");
    var reader = ConfluentRegistryAvroDeserializationSchema.forGeneric(SECOND.rawSchema(), url);
    GenericRecord read = reader.deserialize(data);
    same("o-1 ", read.get("order_id") + " " + read.get("note"), "a record, read as the second version");
  }

  static void deletes(String url) throws Exception {
    same(1, client(url).deleteSchemaVersion(SUBJECT, "1"), "a deleted version");
    same(List.of(2), client(url).deleteSubject(SUBJECT), "a deleted subject");
    same(List.of(1, 2), client(url).deleteSubject(SUBJECT, true), "a subject that was deleted for good");
    refused(40401, () -> client(url).getAllVersions(SUBJECT), "a subject that is gone");
  }

  public static void main(String[] words) throws Exception {
    registers(words[0]);
    checks(words[0]);
    refers(words[0]);
    encodes(words[0]);
    deletes(words[0]);
  }
}
