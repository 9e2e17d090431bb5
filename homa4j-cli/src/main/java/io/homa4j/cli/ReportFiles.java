package io.homa4j.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files of a report, in a folder that is made if need be. */
final class ReportFiles {
    private ReportFiles() {}

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
