package io.homa4j.samples;

import io.homa4j.Homa;
import io.homa4j.HomaServer;
import io.homa4j.Reply;
import io.homa4j.Request;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * A server whose handler blocks: it asks another server before it answers. Every request has a virtual thread of its own, so
 * plain blocking code serves a thousand clients at once; {@code maxInService} bounds how many are in work at a time.
 */
public final class VirtualThreadServer {
    private static final int CLIENTS = 1_000;

    private VirtualThreadServer() {}

    public static void main(String[] arguments) throws InterruptedException, ExecutionException {
        try (Homa homa = Homa.open();
                HomaServer stock = homa.serve(0, VirtualThreadServer::countStock);
                HomaServer shop = homa.server(0).maxInService(200).open(request -> {
                    // A blocking call within a handler: the virtual thread parks, its carrier goes on.
                    try (Reply count = homa.call(stock.address(), request.bytes())) {
                        request.reply(("in stock: " + text(count.bytes())).getBytes(StandardCharsets.UTF_8));
                    }
                });
                ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<String>> answers = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                byte[] article = ("article " + i).getBytes(StandardCharsets.UTF_8);
                answers.add(clients.submit(() -> {
                    try (Reply reply = homa.call(shop.address(), article)) {
                        return text(reply.bytes());
                    }
                }));
            }
            for (Future<String> answer : answers) {
                answer.get();
            }
            System.out.println(answers.size() + " answers, the last one: "
                    + answers.getLast().get());
        }
    }

    private static void countStock(Request request) {
        String article = text(request.bytes());
        int count = Integer.parseInt(article.substring(article.indexOf(' ') + 1)) % 7;
        request.reply(Integer.toString(count).getBytes(StandardCharsets.UTF_8));
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
