// A story with pgjdbc: `java -cp DRIVER Story.java HOST PORT`; results as lines `name: value`.
import java.sql.*;
import java.util.*;

public class Story {
    static String names(ResultSet rows, String column) throws SQLException {
        List<String> found = new ArrayList<>();
        while (rows.next()) found.add(rows.getString(column));
        return String.join(" ", found);
    }

    public static void main(String[] args) throws Exception {
        String url = "jdbc:postgresql://" + args[0] + ":" + args[1] + "/partitura?user=ada";
        try (Connection connection = DriverManager.getConnection(url)) {
            DatabaseMetaData about = connection.getMetaData();
            System.out.println("version: " + about.getDatabaseMajorVersion());
            System.out.println("schemas: " + names(about.getSchemas(), "TABLE_SCHEM"));
            System.out.println("tables: " + names(about.getTables(null, "public", "%", new String[] {"TABLE"}), "TABLE_NAME"));
            System.out.println("views: " + names(about.getTables(null, "public", "%", new String[] {"VIEW"}), "TABLE_NAME"));
            System.out.println("columns: " + names(about.getColumns(null, "public", "interactions", "%"), "COLUMN_NAME"));
            System.out.println("types: " + names(about.getColumns(null, "public", "interactions", "%"), "TYPE_NAME"));
            try (PreparedStatement statement = connection.prepareStatement(
                    "SELECT interaction_id, tokens_in FROM interactions WHERE tokens_in > ? AND agent_id = ? ORDER BY 1")) {
                for (int turn = 0; turn < 7; turn++) { // from the fifth on the driver prepares on the server
                    statement.setLong(1, 20);
                    statement.setString(2, "claude");
                    System.out.println("rows: " + names(statement.executeQuery(), "interaction_id"));
                }
            }
            connection.setAutoCommit(false);
            connection.setReadOnly(true);
            try (Statement statement = connection.createStatement()) {
                statement.setFetchSize(30);
                ResultSet rows = statement.executeQuery("SELECT value FROM generate_series(1, 100)");
                int count = 0;
                while (rows.next()) count++;
                System.out.println("fetched: " + count);
            }
            connection.rollback();
            try (Statement statement = connection.createStatement()) {
                statement.executeUpdate("DELETE FROM events");
            } catch (SQLException refused) {
                System.out.println("refused: " + refused.getSQLState());
            }
            connection.rollback();
        }
    }
}
