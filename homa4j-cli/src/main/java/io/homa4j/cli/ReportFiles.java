package io.homa4j.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Files that a command writes when its work is done: what cannot be written then is told before it begins, and not after an
 * hour. Those of a report lie in a folder that is made if need be.
 */
final class ReportFiles {
    private ReportFiles() {}

    /**
     * Complains if a file cannot be written.
     *
     * @param option that names it
     * @param otherwise what else the option takes, or empty
     */
    static void checkFile(String option, String file, String otherwise) {
        String remedy =
                "name a file in a folder that exists and is yours" + (otherwise.isEmpty() ? "" : ", " + otherwise);
        Path path = path(option, file, remedy);
        Path folder = path.getParent();
        if (Files.isDirectory(path)) {
            throw cannotWrite(option, file, "it is a folder", remedy);
        }
        if (Files.exists(path)) {
            if (!Files.isWritable(path)) {
                throw cannotWrite(option, file, "no right to", remedy);
            }
        } else if (folder != null && !Files.isDirectory(folder)) {
            throw cannotWrite(option, file, "there is no folder " + folder, remedy);
        } else if (folder != null && !Files.isWritable(folder)) {
            throw cannotWrite(option, file, "no right to write to " + folder, remedy);
        }
    }

    /** Makes the folder of a report, or complains that it cannot be had. */
    static void checkFolder(@Nullable Path folder) {
        if (folder == null) {
            return;
        }
        String remedy = "name a folder that you may write to";
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw cannotWrite("--report", folder.toString(), "the folder cannot be made", remedy);
        }
        if (!Files.isWritable(folder)) {
            throw cannotWrite("--report", folder.toString(), "no right to", remedy);
        }
    }

    private static Path path(String option, String file, String remedy) {
        try {
            return Path.of(file).toAbsolutePath();
        } catch (InvalidPathException e) {
            throw cannotWrite(option, file, e.getReason(), remedy);
        }
    }

    private static CliException cannotWrite(String option, String file, String reason, String remedy) {
        return new CliException("cannot write " + option + " " + file + ": " + reason, remedy);
    }

    /**
     * Writes one.
     *
     * @return where it is
     * @throws CliException if it cannot be written
     */
    static Path write(Path folder, String name, String text) {
        try {
            Files.createDirectories(folder);
            return Files.writeString(folder.resolve(name), text, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new CliException(
                    "cannot write the report to " + folder + " (" + e.getClass().getSimpleName() + ")",
                    "name a folder that you may write to",
                    e);
        }
    }
}
