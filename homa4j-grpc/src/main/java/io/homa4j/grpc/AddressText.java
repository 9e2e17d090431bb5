package io.homa4j.grpc;

import io.homa4j.HomaAddress;
import io.homa4j.HomaAddressException;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** Socket addresses as text in messages, for people and channelz only: nothing is sent there. */
final class AddressText {
    private static final String NUMERIC =
            "(\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}|\\[[0-9a-fA-F:.]{2,45}]):\\d{1,5}";

    private AddressText() {}

    /** The address, if the text is one by number; else null. A name is never looked up for a stranger. */
    static @Nullable InetSocketAddress parse(String text) {
        if (!text.matches(NUMERIC)) {
            return null;
        }
        try {
            HomaAddress address = HomaAddress.parse(text);
            return new InetSocketAddress(address.address(), address.port());
        } catch (HomaAddressException e) {
            return null;
        }
    }

    static String of(HomaAddress address) {
        String host = address.address().getHostAddress();
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + address.port();
    }
}
