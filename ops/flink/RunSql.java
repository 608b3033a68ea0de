import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;

/**
 * Runs SQL files in an engine of its own: java -cp 'jars/*' RunSql.java [--explain] tables.sql job.sql.
 *
 * Files are read in order, a statement ends with a semicolon at the end of a line. With --explain inserts are planned and not run.
 * Where a Flink is installed, its SQL client does the same: sql-client.sh -i tables.sql -f job.sql.
 */
public final class RunSql {
    public static void main(String[] arguments) throws Exception {
        boolean explains = arguments.length > 0 && arguments[0].equals("--explain");
        Configuration settings = new Configuration();
        TableEnvironment tables =
                TableEnvironment.create(EnvironmentSettings.newInstance().inStreamingMode().withConfiguration(settings).build());
        for (int place = explains ? 1 : 0; place < arguments.length; place++) {
            for (String statement : statements(Files.readString(Path.of(arguments[place])))) {
                run(tables, statement, explains);
            }
        }
    }

    private static void run(TableEnvironment tables, String statement, boolean explains) throws Exception {
        if (statement.startsWith("SET ")) {
            String[] words = statement.substring(4).split("=", 2);
            tables.getConfig().set(unquoted(words[0]), unquoted(words[1]));
        } else if (statement.startsWith("INSERT ") && explains) {
            System.out.println(tables.explainSql(statement));
        } else if (statement.startsWith("INSERT ")) {
            System.out.println("running");
            tables.executeSql(statement).await();
        } else {
            tables.executeSql(statement);
        }
    }

    private static List<String> statements(String text) {
        List<String> found = new ArrayList<>();
        StringBuilder open = new StringBuilder();
        for (String line : text.split("\n")) {
            if (line.strip().startsWith("--") || line.isBlank()) {
                continue;
            }
            open.append(line).append('\n');
            if (line.stripTrailing().endsWith(";")) {
                String statement = open.toString().strip();
                found.add(statement.substring(0, statement.length() - 1));
                open.setLength(0);
            }
        }
        if (!open.isEmpty()) {
            throw new IllegalArgumentException("no semicolon after: " + open);
        }
        return found;
    }

    private static String unquoted(String word) {
        return word.strip().replaceAll("^'|'$", "");
    }
}
