package io.homa4j.cli;

import io.homa4j.HomaException;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi.Text;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** How every failure of every command is told: one line on standard error with cause and remedy, and an exit code. */
final class ErrorLine {
    /** A word further away than this is another word, not a slip. */
    private static final int MAX_EDITS = 2;

    private ErrorLine() {}

    /** The command line could not be understood. */
    static int onUsageError(ParameterException e, String[] args) {
        CommandLine command = e.getCommandLine();
        String help = "see " + command.getCommandSpec().qualifiedName() + " --help";
        print(command, cause(e), suggestion(e, help));
        return Homa.USAGE;
    }

    /** The command was understood and failed. */
    static int onFailure(Exception e, CommandLine command, ParseResult parsed) {
        return onFailure(e, command);
    }

    /** As above. */
    static int onFailure(Exception e, CommandLine command) {
        if (System.getenv("HOMA_DEBUG") != null) {
            e.printStackTrace(command.getErr());
        }
        if (e instanceof CliException known) {
            print(command, String.valueOf(known.getMessage()), known.remedy());
            return known.exitCode();
        }
        if (e instanceof HomaException known) {
            String ending = "; " + known.remedy();
            String message = String.valueOf(known.getMessage());
            String cause =
                    message.endsWith(ending) ? message.substring(0, message.length() - ending.length()) : message;
            print(command, cause, known.remedy());
            return Homa.FAILURE;
        }
        print(command, "unexpected " + e, "this is a defect; HOMA_DEBUG=1 shows where it happened");
        return Homa.FAILURE;
    }

    private static String cause(ParameterException e) {
        if (e instanceof UnmatchedArgumentException unmatched) {
            boolean commandExpected = !e.getCommandLine().getSubcommands().isEmpty();
            String kind = unmatched.isUnknownOption()
                    ? "unknown option"
                    : commandExpected ? "unknown command" : "unexpected argument";
            return kind + " '" + unmatched.getUnmatched().getFirst() + "'";
        }
        // The library's own words, with its slips mended.
        String message = String.valueOf(e.getMessage()).replace("option option", "option");
        return firstLower(message.startsWith("Error: ") ? message.substring("Error: ".length()) : message);
    }

    private static String suggestion(ParameterException e, String help) {
        if (e instanceof UnmatchedArgumentException unmatched) {
            String word = unmatched.getUnmatched().getFirst();
            CommandLine command = e.getCommandLine();
            Stream<String> known = unmatched.isUnknownOption()
                    ? command.getCommandSpec().optionsMap().keySet().stream()
                    : command.getSubcommands().keySet().stream();
            Optional<String> nearest = known.filter(name -> edits(word, name) <= MAX_EDITS)
                    .min(Comparator.comparingInt(name -> edits(word, name)));
            if (nearest.isPresent()) {
                return "did you mean '" + nearest.get() + "'? (" + help + ")";
            }
        }
        return help;
    }

    /** How many letters must be added, dropped, replaced or swapped with their neighbour to turn one word into the other. */
    private static int edits(String from, String to) {
        int[][] distance = new int[from.length() + 1][to.length() + 1];
        for (int i = 0; i <= from.length(); i++) {
            for (int j = 0; j <= to.length(); j++) {
                if (i == 0 || j == 0) {
                    distance[i][j] = i + j;
                    continue;
                }
                boolean same = from.charAt(i - 1) == to.charAt(j - 1);
                int best = distance[i - 1][j - 1] + (same ? 0 : 1);
                best = Math.min(best, 1 + Math.min(distance[i - 1][j], distance[i][j - 1]));
                if (i > 1
                        && j > 1
                        && from.charAt(i - 1) == to.charAt(j - 2)
                        && from.charAt(i - 2) == to.charAt(j - 1)) {
                    best = Math.min(best, 1 + distance[i - 2][j - 2]);
                }
                distance[i][j] = best;
            }
        }
        return distance[from.length()][to.length()];
    }

    /** Whatever was in the parts, they come out as one line. */
    private static void print(CommandLine command, String cause, String remedy) {
        String line = command.getCommandSpec().qualifiedName() + ": " + cause + "; " + remedy;
        Text coloured = command.getColorScheme().errorText(line.replaceAll("\\s*\\R\\s*", " "));
        command.getErr().println(coloured);
    }

    private static String firstLower(String text) {
        return text.isEmpty() ? text : Character.toLowerCase(text.charAt(0)) + text.substring(1);
    }
}
