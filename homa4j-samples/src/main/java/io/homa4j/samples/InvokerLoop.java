package io.homa4j.samples;

import io.homa4j.Homa;
import io.homa4j.HomaAddress;
import io.homa4j.HomaMessage;
import io.homa4j.HomaServer;
import io.homa4j.HomaSocket;
import java.time.Duration;

/**
 * Lowest latency: the application's own thread turns the engine, so nothing is ever handed from thread to thread. One loop
 * sends requests, takes answers, and could do anything else between two turns.
 */
public final class InvokerLoop {
    private static final int REQUESTS = 1_000;
    private static final int OUTSTANDING = 8;

    private final Homa homa;
    private final HomaSocket socket;
    private final HomaAddress server;
    private int sent;
    private int answered;

    private InvokerLoop(Homa homa, HomaAddress server) {
        this.homa = homa;
        this.socket = homa.openSocket();
        this.server = server;
    }

    public static void main(String[] arguments) {
        try (Homa elsewhere = Homa.open();
                HomaServer server =
                        elsewhere.server(0).shortHandler().open(request -> request.reply(request.segment()));
                Homa homa = Homa.builder().invoker().open()) {
            InvokerLoop loop = new InvokerLoop(homa, server.address());
            loop.run();
            System.out.println(loop.answered + " requests answered by one thread");
        }
    }

    private void run() {
        while (answered < REQUESTS) {
            while (sent < REQUESTS && sent - answered < OUTSTANDING && send()) {
                sent++;
            }
            // Sleeps only when there is nothing to do, and no longer than the application can wait.
            homa.doWork(Duration.ofMillis(1));
            HomaMessage ready = socket.poll();
            while (ready != null) {
                try (HomaMessage message = ready) {
                    check(message);
                }
                ready = socket.poll();
            }
        }
    }

    private boolean send() {
        // 0 means: enough is on its way, try again after the next turn.
        return socket.trySend(server, new byte[] {(byte) sent}, sent) != 0;
    }

    private void check(HomaMessage message) {
        Object cookie = message.cookie();
        if (!(cookie instanceof Integer number) || message.byteAt(0) != number.byteValue()) {
            throw new IllegalStateException("answer to another request: " + message);
        }
        answered++;
    }
}
