/**
 * gRPC over Homa. What applications use: {@link io.homa4j.grpc.HomaChannelBuilder}, {@link io.homa4j.grpc.HomaServerBuilder}, and for
 * gRPC's own entry points {@link io.homa4j.grpc.HomaServerCredentials} and targets {@code homa:///host:port}.
 *
 * <p>Below, from the outside in: {@code ClientSession} and {@code ServerSession} are gRPC's transports (a <i>session</i> between a
 * channel and a server, where TCP has a connection), {@code HomaClientStream} and {@code HomaServerStream} its calls; {@code
 * ServerEndpoint} is one served port; {@code Outbox} and {@code Inbox} are the two directions of a stream; {@code Frames} is what is on
 * the wire.
 *
 * <p><b>Every Homa RPC is begun by the client</b>, so clients may be anywhere: behind a NAT, a firewall, a Kubernetes Service; their
 * ports take no requests. A unary call is one RPC. In a stream, the RPCs that the server has not answered yet are what it may send
 * with: each answer carries as much as is ready and fits. A client that has nothing to send asks with an empty message (PULL).
 *
 * <p>{@code io.grpc.internal} is not a supported interface of gRPC: it is used here and nowhere else. Tested with gRPC 1.79.0.
 */
@NullMarked
package io.homa4j.grpc;

import org.jspecify.annotations.NullMarked;
