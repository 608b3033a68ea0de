import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.avro.NameValidator;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaNormalization;

/** Answers questions about schemas, one JSON object a line, as Avro Java does. */
public class Recorder {
  public static void main(String[] arguments) throws Exception {
    ObjectMapper mapper = new ObjectMapper();
    BufferedReader questions = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    for (String line = questions.readLine(); line != null; line = questions.readLine()) {
      ObjectNode answer = (ObjectNode) mapper.readTree(line);
      if (answer.has("text")) {
        text(answer);
      } else {
        verdict(answer);
      }
      answers.println(mapper.writeValueAsString(answer));
    }
  }

  private static void text(ObjectNode answer) {
    try {
      Schema schema = parse(answer.get("text"));
      answer.put("canonical", schema.toString());
      answer.put("pcf", SchemaNormalization.toParsingForm(schema));
      answer.put("fingerprint64", new java.math.BigInteger(
          Long.toUnsignedString(SchemaNormalization.parsingFingerprint64(schema))));
    } catch (RuntimeException refused) {
      answer.put("refused", true);
    }
  }

  private static void verdict(ObjectNode answer) {
    Schema reader = parse(answer.get("reader"));
    Schema writer = parse(answer.get("writer"));
    try {
      ArrayNode found = answer.arrayNode();
      for (SchemaCompatibility.Incompatibility each : SchemaCompatibility
          .checkReaderWriterCompatibility(reader, writer).getResult().getIncompatibilities()) {
        found.addArray().add(each.getType().name()).add(each.getLocation()).add(each.getMessage());
      }
      answer.set("found", found);
    } catch (RuntimeException ambiguous) {
      answer.put("ambiguous", ambiguous.getMessage());
    }
  }

  private static Schema parse(JsonNode text) {
    return new Schema.Parser(NameValidator.STRICT_VALIDATOR).parse(text.asText());
  }
}
