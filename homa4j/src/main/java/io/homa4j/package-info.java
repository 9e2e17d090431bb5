/**
 * Sockets, calls and the threads that turn the engine: what applications use.
 *
 * <p><b>For applications:</b> {@link io.homa4j.Homa} opens everything else. Level 1: {@code call} and {@code callAsync},
 * {@link io.homa4j.HomaServer} with a {@link io.homa4j.Handler}. Level 2: {@link io.homa4j.HomaSocket}. What is received is a
 * {@link io.homa4j.HomaMessage} ({@link io.homa4j.Reply} or {@link io.homa4j.Request}), to be closed; memory to send without a
 * copy comes from {@link io.homa4j.HomaBuffers}. What fails is a {@link io.homa4j.HomaException} with a
 * {@link io.homa4j.Reason}.
 *
 * <p><b>Inside:</b> {@code EngineLoop} turns the engine and says which thread does. Everything asked of it is a
 * {@code Command}; one that somebody waits for is an {@code Op}: {@code PendingCall} (a private RPC, behind a
 * {@code CallFuture} if asynchronous), {@code SharedRequest}, {@code ReceiveOp}, {@code MemoryOp}, {@code AskOp}.
 * {@code SocketCore} is one socket with its receive region, whose pieces the application holds as {@code Lease}s.
 * {@code SendMemory} is the pool outgoing messages lie in; whoever is {@code Outgoing} gets its piece back.
 * {@code DeadlineHeap}, {@code BoundedQueue} and {@code PollWindow} are the small parts.
 */
@NullMarked
package io.homa4j;

import org.jspecify.annotations.NullMarked;
