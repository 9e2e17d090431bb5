package io.homa4j.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/**
 * The standard output of the process, which remembers why it could not be written to: a result that did not fit on the disk is a
 * failure, unlike one of which nobody reads the rest ({@code | head}).
 */
final class StandardOutput {
    private static final String BROKEN_PIPE = "Broken pipe";

    /** Writers swallow what goes wrong; this one has seen it. */
    private static final class Watched extends FilterOutputStream {
        private volatile @Nullable IOException failure;

        Watched() {
            super(new FileOutputStream(FileDescriptor.out));
        }

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            try {
                out.write(bytes, offset, length);
            } catch (IOException e) {
                if (failure == null) {
                    failure = e;
                }
                throw e;
            }
        }
    }

    private final Watched stream = new Watched();
    private final PrintWriter writer = new PrintWriter(new OutputStreamWriter(stream, System.out.charset()), true);

    PrintWriter writer() {
        return writer;
    }

    /** Writes the rest. @return the exit code: that of the command, or a failure that is then told */
    int end(int exitCode, CommandLine command) {
        writer.flush();
        IOException failure = stream.failure;
        String reason = failure == null ? BROKEN_PIPE : String.valueOf(failure.getMessage());
        if (exitCode != 0 || reason.equals(BROKEN_PIPE)) {
            return exitCode;
        }
        return ErrorLine.onFailure(
                new CliException(
                        "cannot write to standard output: " + reason, "make room, or send it elsewhere", failure),
                command);
    }
}
