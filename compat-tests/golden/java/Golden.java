// What a Java service makes of golden bytes, by Apache Avro. Usage: java Golden RELEASE…
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.avro.Conversion;
import org.apache.avro.Conversions;
import org.apache.avro.Schema;
import org.apache.avro.data.TimeConversions;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.Encoder;
import org.apache.avro.io.EncoderFactory;

public class Golden {
  static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.USE_BIG_INTEGER_FOR_INTS);
  static final GenericData DATA = new GenericData();

  static {
    // Without them a logical type is read as its base; with them as what Java has for it.
    List<Conversion<?>> conversions =
        List.of(
            new Conversions.DecimalConversion(),
            new Conversions.UUIDConversion(),
            new TimeConversions.DateConversion(),
            new TimeConversions.TimeMillisConversion(),
            new TimeConversions.TimeMicrosConversion(),
            new TimeConversions.TimestampMillisConversion(),
            new TimeConversions.TimestampMicrosConversion(),
            new TimeConversions.LocalTimestampMillisConversion(),
            new TimeConversions.LocalTimestampMicrosConversion());
    conversions.forEach(DATA::addLogicalTypeConversion);
  }

  // A map has no order; one that keeps the order of the bytes gives the same bytes again.
  static final class Reader extends GenericDatumReader<Object> {
    Reader(Schema schema) {
      super(schema, schema, DATA);
    }

    @Override
    protected Object newMap(Object old, int size) {
      return new LinkedHashMap<Object, Object>();
    }
  }

  // JsonEncoder adds 0 to a float, which takes the sign of -0.0 away: signs of zero are compared as bytes, and as JSON that is read.
  static final Comparator<JsonNode> LEAVES =
      (one, other) -> {
        if (one.isFloatingPointNumber() && other.isFloatingPointNumber()) {
          return one.doubleValue() == other.doubleValue() ? 0 : 1;
        }
        return one.equals(other) ? 0 : 1;
      };

  // JsonEncoder writes numbers that are none as texts, as is recorded; JsonDecoder 1.12.0 refuses them.
  static final Pattern NO_NUMBER = Pattern.compile("\"(NaN|-?Infinity)\"");

  int values;
  int read;
  int sameBytes;

  static Object decode(Schema schema, byte[] data) throws IOException {
    BinaryDecoder decoder = DecoderFactory.get().binaryDecoder(data, null);
    Object value = new Reader(schema).read(null, decoder);
    if (!decoder.isEnd()) {
      throw new IOException("bytes are left over");
    }
    return value;
  }

  static Object fromJson(Schema schema, String json) throws IOException {
    return new Reader(schema).read(null, DecoderFactory.get().jsonDecoder(schema, json));
  }

  static byte[] written(Schema schema, Object value, boolean isJson) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Encoder encoder =
        isJson ? EncoderFactory.get().jsonEncoder(schema, out) : EncoderFactory.get().binaryEncoder(out, null);
    new GenericDatumWriter<Object>(schema, DATA).write(value, encoder);
    encoder.flush();
    return out.toByteArray();
  }

  // The fault of one line, or null.
  String check(Schema schema, String hex, String json) throws IOException {
    byte[] data = HexFormat.of().parseHex(hex);
    Object value = decode(schema, data);
    JsonNode told = JSON.readTree(written(schema, value, true));
    if (!told.equals(LEAVES, JSON.readTree(json))) {
      return "reads " + told + ", not " + json;
    }
    read++;
    byte[] again = written(schema, value, false);
    if (!Arrays.equals(again, data)) {
      return "writes " + HexFormat.of().formatHex(again) + ", not " + hex;
    }
    if (!NO_NUMBER.matcher(json).find()) {
      again = written(schema, fromJson(schema, json), false);
      if (!Arrays.equals(again, data)) {
        return "makes " + HexFormat.of().formatHex(again) + " of the recorded JSON, not " + hex;
      }
    }
    sameBytes++;
    return null;
  }

  int release(Path folder) throws IOException {
    JsonNode events = JSON.readTree(folder.resolve("set.json").toFile()).get("events");
    Map<String, Schema> schemas = new HashMap<>();
    int faults = 0;
    for (String text : Files.readString(folder.resolve("golden.jsonl")).split("\n")) {
      JsonNode line = JSON.readTree(text);
      String event = line.get("event").textValue();
      Schema schema =
          schemas.computeIfAbsent(event, name -> new Schema.Parser().parse(events.get(name).get("text").textValue()));
      values++;
      String fault;
      try {
        fault = check(schema, line.get("hex").textValue(), line.get("json").textValue());
      } catch (IOException | RuntimeException error) {
        fault = error.toString();
      }
      if (fault != null) {
        faults++;
        System.err.println(folder.getFileName() + " " + event + " case " + line.get("case") + ": " + fault);
      }
    }
    return faults;
  }

  public static void main(String[] folders) throws IOException {
    int faults = 0;
    for (String folder : folders) {
      Golden golden = new Golden();
      faults += golden.release(Path.of(folder));
      Map<String, Object> told = new LinkedHashMap<>();
      told.put("release", Path.of(folder).getFileName().toString());
      told.put("values", golden.values);
      told.put("read", golden.read);
      told.put("same_bytes", golden.sameBytes);
      told.put("reordered", 0);
      System.out.println(JSON.writeValueAsString(told));
    }
    System.exit(faults == 0 ? 0 : 1);
  }
}
