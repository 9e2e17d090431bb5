import io.homa4j.bench.AeronContender;
import io.homa4j.bench.GrpcContender;
import io.homa4j.bench.NettyContender;
import io.homa4j.bench.UdpFloor;
import io.homa4j.bench.UdpFloorInC;
import io.homa4j.cli.Contender;

/** JMH measurements, and the rivals of {@code homa bench peers}; not published. */
module io.homa4j.bench {
    requires static org.jspecify;
    requires io.homa4j;
    requires io.homa4j.cli;
    requires io.homa4j.grpc;
    requires jmh.core;
    requires io.aeron.client;
    requires io.aeron.driver;
    requires org.agrona;
    requires io.grpc;
    requires io.grpc.stub;
    requires io.grpc.netty.shaded;
    requires io.netty.buffer;
    requires io.netty.codec;
    requires io.netty.common;
    requires io.netty.transport;
    requires io.netty.transport.classes.epoll;

    provides Contender with
            UdpFloor,
            UdpFloorInC,
            NettyContender,
            GrpcContender.AsUsersRunIt,
            GrpcContender.Direct,
            GrpcContender.OverHoma,
            GrpcContender.OverHomaDirect,
            AeronContender;
}
