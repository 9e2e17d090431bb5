package io.homa4j.samples;

import io.homa4j.Homa;
import io.homa4j.HomaAddress;
import io.homa4j.HomaRpcException;
import io.homa4j.HomaServer;
import io.homa4j.Reason;
import io.homa4j.Reply;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.IntStream;

/**
 * Futures instead of threads: many calls at once, their results combined, a deadline for each, and one that is given up.
 */
public final class AsynchronousClient {
    private static final int CALLS = 50;

    private AsynchronousClient() {}

    public static void main(String[] arguments) {
        try (Homa homa = Homa.open();
                HomaServer squares = homa.serve(
                        0, request -> request.reply(new byte[] {(byte) (request.byteAt(0) * request.byteAt(0))}));
                HomaServer silent = homa.serve(0, request -> {})) {
            List<CompletableFuture<Integer>> results = IntStream.range(0, CALLS)
                    .mapToObj(i -> square(homa, squares.address(), i % 10))
                    .toList();
            int sum = results.stream().mapToInt(CompletableFuture::join).sum();
            System.out.println("sum of squares: " + sum);

            // A deadline is part of the call; what it fails with is an ordinary exception of the future.
            Reason reason = homa.callAsync(silent.address(), new byte[1], Duration.ofMillis(20))
                    .handle((reply, failure) -> reasonOf(failure))
                    .join();
            System.out.println("the silent server: " + reason);

            // Cancelling forgets the RPC; nothing of it stays behind.
            CompletableFuture<Reply> unwanted = homa.callAsync(silent.address(), new byte[1]);
            unwanted.cancel(true);
            System.out.println("given up: " + unwanted.isCancelled());
        }
    }

    private static CompletableFuture<Integer> square(Homa homa, HomaAddress server, int number) {
        return homa.callAsync(server, new byte[] {(byte) number}, Duration.ofSeconds(10))
                .thenApply(reply -> {
                    // Whoever takes a reply closes it.
                    try (reply) {
                        return (int) reply.byteAt(0);
                    }
                });
    }

    private static Reason reasonOf(Throwable failure) {
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        if (cause instanceof HomaRpcException rpc) {
            return rpc.reason();
        }
        throw new IllegalStateException("not the failure of an RPC", cause);
    }
}
