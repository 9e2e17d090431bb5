package io.homa4j.protocol;

import java.util.List;

/**
 * Where most tests of single rules begin: one engine in profile {@code module}, with a server socket at port 99 and a
 * client socket, and a made-up host that plays the other side of both. Packets carry 1400 bytes, 10000 bytes of a
 * message are unscheduled, the link is not paced and there are no FIFO grants.
 */
final class Rig {
    static final int SERVER_PORT = 99;
    static final int CALLER_PORT = 40_000;
    final Node node;
    /** Socket numbers. */
    final int client;

    final int server;
    /** Plays the server, 10.0.0.2:99, for requests of {@link #client}; its ids are odd. */
    final Injector peer;
    /** Plays a client at 10.0.0.2 for {@link #server}; its ids are even. */
    final Injector caller;

    Rig() {
        this(config());
    }

    Rig(Config config) {
        node = new Node("node", "10.0.0.1", config);
        client = node.client();
        server = node.server(SERVER_PORT);
        peer = new Injector(node, "10.0.0.2", SERVER_PORT, node.engine.port(client));
        caller = new Injector(node, "10.0.0.2", CALLER_PORT, SERVER_PORT);
    }

    static Config config() {
        Config config = Config.module();
        config.mtu = 1400 + 56 + 20;
        config.unschedBytes = 10_000;
        config.linkMbps = 0;
        config.grantFifoFraction = 0;
        return config;
    }

    /** What homa4j does by itself, over IP 146 and with the same packets; peers need not prove that they receive. */
    static Config ownConfig() {
        Config config = Config.defaults();
        config.encapsulation = Config.Encapsulation.IP;
        config.mtu = 1400 + 56 + 20;
        config.unschedBytes = 10_000;
        config.adaptToPath = false;
        config.proveReachability = false;
        config.firstId = 2;
        return config;
    }

    /** A client on another made-up host. */
    Injector caller(String address) {
        return new Injector(node, address, CALLER_PORT, SERVER_PORT);
    }

    /** A server on another made-up host. */
    Injector peer(String address) {
        return new Injector(node, address, SERVER_PORT, node.engine.port(client));
    }

    /** Sends a request to the made-up server; its id. */
    long request(int length) {
        long id = node.request(client, peer.peered(), length);
        assert id > 0 : Status.of(id);
        return id;
    }

    /** Sends a request and lets all that may leave leave. */
    long requestSent(int length) {
        long id = request(length);
        node.send();
        return id;
    }

    /** A one-packet response to the request; the application has not taken it. */
    void respond(long id, int length) {
        peer.data(id ^ 1, length).go();
    }

    /** A whole call: request, one-packet response, response taken; leaves one ack waiting. */
    long call(int length) {
        long id = requestSent(length);
        respond(id, 100);
        node.take(client);
        return id;
    }

    /** A whole request of the made-up client, taken by the application: the RPC is in service. */
    Received serve(long id, int length) {
        return serve(caller, id, length);
    }

    Received serve(Injector from, long id, int length) {
        node.receive(from.message(id, length, 1400));
        node.send();
        return node.take(server);
    }

    /** A request that has been answered with so many bytes; what may leave of the response has left. */
    Received answered(long id, int responseLength) {
        Received request = serve(id, 100);
        int result = node.reply(request, responseLength);
        assert result == 0 : Status.of(result);
        node.send();
        return request;
    }

    /** State of the RPC, which must exist. */
    RpcInfo info(long id) {
        return infos(client).stream()
                .filter(rpc -> rpc.id() == id)
                .findFirst()
                .or(() -> infos(server).stream().filter(rpc -> rpc.id() == id).findFirst())
                .orElseThrow(() -> new AssertionError("no RPC " + id));
    }

    boolean exists(long id) {
        return infos(client).stream().anyMatch(rpc -> rpc.id() == id)
                || infos(server).stream().anyMatch(rpc -> rpc.id() == id);
    }

    List<RpcInfo> infos(int socket) {
        SocketInfo info = node.engine.socketInfo(socket);
        return info == null ? List.of() : info.rpcs();
    }

    /** State of a socket, which must be open. */
    SocketInfo socket(int socket) {
        SocketInfo info = node.engine.socketInfo(socket);
        if (info == null) {
            throw new AssertionError("socket " + socket + " is not open");
        }
        return info;
    }
}
