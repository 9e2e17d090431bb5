package io.homa4j.bench;

import io.homa4j.cli.Contender;
import io.homa4j.cli.Pattern;
import io.homa4j.cli.PeerLoad;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SelectStrategy;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Netty with its native epoll transport: framed RPC, pipelined on one connection, one event loop at either end that does all the
 * work, pooled direct buffers, one flush for all that one read brought. Polling: the event loop never sleeps.
 */
public final class NettyContender implements Contender {
    private static final int HEADER = 8;
    private static final int LARGEST_FRAME = HEADER + 1_000_000;
    private static final int FIRST_READ = 4096;
    private static final int LARGEST_READ = 1 << 20;
    private static final int SMALLEST_READ = 512;
    private static final long PATIENCE_SECONDS = 3700;

    /** For the service loader. */
    public NettyContender() {}

    @Override
    public String id() {
        return "netty";
    }

    @Override
    public String setUp() {
        return "Netty 4.2, native epoll, pipelined on one connection, one event loop at either end, pooled direct buffers,"
                + " TCP_NODELAY; polling: SelectStrategy.BUSY_WAIT";
    }

    @Override
    public List<Waiting> waitings() {
        return List.of(Waiting.POLLING, Waiting.SLEEPING);
    }

    @Override
    public List<String> jvmOptions() {
        return List.of(
                // The native library is in a module that nobody requires.
                "--add-modules=ALL-MODULE-PATH",
                "--enable-native-access=io.netty.common,io.netty.transport.unix.common",
                "--sun-misc-unsafe-memory-access=allow",
                "-Dio.netty.noUnsafe=false",
                "-Dio.netty.leakDetection.level=disabled",
                "-Dio.netty.buffer.checkBounds=false",
                "-Dio.netty.buffer.checkAccessible=false");
    }

    private static EventLoopGroup eventLoop(Waiting waiting) {
        IoHandlerFactory handlers = waiting == Waiting.POLLING
                ? EpollIoHandler.newFactory(
                        0, () -> (supplier, hasTasks) -> hasTasks ? supplier.get() : SelectStrategy.BUSY_WAIT)
                : EpollIoHandler.newFactory();
        return new MultiThreadIoEventLoopGroup(1, handlers);
    }

    @Override
    public Server serve(InetAddress local, Waiting waiting) throws InterruptedException {
        EventLoopGroup group = eventLoop(waiting);
        Channel listener = new ServerBootstrap()
                .group(group)
                .channel(EpollServerSocketChannel.class)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT)
                .childOption(ChannelOption.RECVBUF_ALLOCATOR, reads())
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(frames(), new Answering());
                    }
                })
                .bind(local, 0)
                .sync()
                .channel();
        return new Server() {
            @Override
            public int port() {
                return ((InetSocketAddress) listener.localAddress()).getPort();
            }

            @Override
            public void close() {
                stop(group);
            }
        };
    }

    @Override
    public Client connect(InetAddress local, InetSocketAddress server, Waiting waiting) throws InterruptedException {
        EventLoopGroup group = eventLoop(waiting);
        Asking asking = new Asking();
        Channel channel = new Bootstrap()
                .group(group)
                .channel(EpollSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT)
                .option(ChannelOption.RECVBUF_ALLOCATOR, reads())
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel fresh) {
                        fresh.pipeline().addLast(frames(), asking);
                    }
                })
                .connect(server)
                .sync()
                .channel();
        return new Client() {
            @Override
            public void run(PeerLoad load) throws Exception {
                CompletableFuture<Void> done = new CompletableFuture<>();
                channel.eventLoop().execute(() -> asking.begin(channel, load, done));
                try {
                    done.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
                } catch (ExecutionException e) {
                    throw new IllegalStateException(e.getCause());
                }
            }

            @Override
            public void close() {
                stop(group);
            }
        };
    }

    private static AdaptiveRecvByteBufAllocator reads() {
        return new AdaptiveRecvByteBufAllocator(SMALLEST_READ, FIRST_READ, LARGEST_READ);
    }

    private static LengthFieldBasedFrameDecoder frames() {
        return new LengthFieldBasedFrameDecoder(LARGEST_FRAME, 0, 4, 4, 0);
    }

    private static void stop(EventLoopGroup group) {
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    private static ByteBuf frame(ChannelHandlerContext context, int call, int length) {
        return context.alloc().directBuffer(HEADER + length).writeInt(length).writeInt(call);
    }

    private static final class Answering extends ChannelInboundHandlerAdapter {
        private static final ByteBuf BODY = Unpooled.unreleasableBuffer(
                Unpooled.wrappedBuffer(Pattern.response(1_000_000).asByteBuffer()));

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf request = (ByteBuf) message;
            int wanted = request.getInt(HEADER);
            ByteBuf answer = frame(context, request.getInt(4), wanted).writeBytes(BODY, 0, wanted);
            request.release();
            var _ = context.write(answer, context.voidPromise());
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            context.flush();
        }
    }

    private static final class Asking extends ChannelInboundHandlerAdapter {
        private @Nullable PeerLoad load;
        private @Nullable CompletableFuture<Void> done;
        private long[] startedNs = {};
        private int outstanding;

        void begin(Channel channel, PeerLoad wanted, CompletableFuture<Void> whenDone) {
            load = wanted;
            done = whenDone;
            startedNs = new long[wanted.outstanding()];
            ChannelHandlerContext context = channel.pipeline().context(this);
            for (int call = 0; call < startedNs.length; call++) {
                ask(context, wanted, call, System.nanoTime());
            }
            context.flush();
        }

        private void ask(ChannelHandlerContext context, PeerLoad of, int call, long nowNs) {
            startedNs[call] = nowNs;
            outstanding++;
            byte[] request = of.request();
            var _ = context.write(frame(context, call, request.length).writeBytes(request), context.voidPromise());
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf answer = (ByteBuf) message;
            int call = answer.getInt(4);
            int length = answer.readableBytes() - HEADER;
            answer.release();
            PeerLoad of = load;
            if (of == null) {
                return;
            }
            long nowNs = System.nanoTime();
            of.answered(startedNs[call], nowNs, length);
            outstanding--;
            if (!of.isOver(nowNs)) {
                ask(context, of, call, nowNs);
            } else if (outstanding == 0 && done != null) {
                done.complete(null);
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            context.flush();
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            if (done != null) {
                done.completeExceptionally(new java.io.EOFException("the connection was closed"));
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            if (done != null) {
                done.completeExceptionally(cause);
            }
        }
    }
}
