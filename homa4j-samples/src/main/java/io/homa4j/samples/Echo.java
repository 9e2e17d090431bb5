package io.homa4j.samples;

import io.homa4j.Homa;
import io.homa4j.HomaAddress;
import io.homa4j.HomaServer;
import io.homa4j.Reply;
import java.nio.charset.StandardCharsets;

/**
 * The smallest whole program: a server that sends back what it gets, and a client that calls it.
 *
 * <pre>{@code
 * Echo            both in one process
 * Echo 4000       only the server, on port 4000
 * Echo db7:4000   only the client
 * }</pre>
 */
public final class Echo {
    private Echo() {}

    public static void main(String[] arguments) throws InterruptedException {
        String argument = arguments.length == 0 ? "" : arguments[0];
        if (argument.contains(":")) {
            call(HomaAddress.parse(argument));
        } else if (!argument.isEmpty()) {
            try (Homa homa = Homa.open();
                    HomaServer server = homa.serve(Integer.parseInt(argument), r -> r.reply(r.segment()))) {
                System.out.println("serving port " + server.port());
                server.awaitClosed();
            }
        } else {
            try (Homa homa = Homa.open();
                    HomaServer server = homa.serve(0, request -> request.reply(request.segment()))) {
                call(server.address());
            }
        }
    }

    private static void call(HomaAddress server) throws InterruptedException {
        byte[] request = "hello, Homa".getBytes(StandardCharsets.UTF_8);
        try (Homa homa = Homa.open();
                Reply reply = homa.call(server, request)) {
            System.out.println(server + " says: " + new String(reply.bytes(), StandardCharsets.UTF_8));
        }
    }
}
