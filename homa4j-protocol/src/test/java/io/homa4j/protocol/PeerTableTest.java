package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Peers: creation, lookup, and the collection of idle ones (spec protocol 8). Over IP 146 a peer is an address. */
class PeerTableTest {
    private static final long SECOND = 1_000_000_000L;

    private final Config config = Rig.config();
    private final Counters counters = new Counters();
    private Turn turn = new Turn(config, 0);
    private PeerTable table = new PeerTable(config, counters, turn, new KeyedHash(1));

    @BeforeEach
    void limits() {
        config.peerGcThreshold = 3;
        config.peerNetMax = 1_000;
        config.peerIdleSecsMin = 10;
        config.peerIdleSecsMax = 120;
    }

    /** Looks the peer with this number up, and creates it if need be. */
    private Peer peer(int number) {
        Peer peer = table.findOrCreate(0, 0, Address.mappedLo(0x0A000000 + number), 0, true);
        if (peer == null) {
            throw new AssertionError("no room for peer " + number);
        }
        return peer;
    }

    private void pass(long ns) {
        turn.now(turn.nowNs + ns);
    }

    /** Numbers of the peers there are, in order. */
    private List<Integer> present() {
        List<Integer> numbers = new ArrayList<>();
        for (int i = 0; i < table.size(); i++) {
            numbers.add((int) table.get(i).lo & 0xFFFF);
        }
        numbers.sort(null);
        return numbers;
    }

    // ---- creation and lookup

    @Test
    @Pins("P-229")
    void newPeerHasLevelSixUnlimitedAndVersionZero() {
        Peer peer = peer(1);
        assertThat(peer.cutoffs).containsExactly(0, 0, 0, 0, 0, 0, Integer.MAX_VALUE, 0);
        assertThat(peer.cutoffVersion).isZero();
        assertThat(peer.acks).isZero();
        assertThat(peer.host.mtu).isEqualTo(config.mtu);
    }

    @Test
    @Pins("P-231")
    void secondLookupFindsTheSamePeer() {
        Peer first = peer(1);
        assertThat(peer(1)).isSameAs(first);
        assertThat(table.size()).isEqualTo(1);
        assertThat(peer(2)).isNotSameAs(first);
        Peer six = table.findOrCreate(0, 0xfd00_0000_0000_0000L, Address.mappedLo(0x0A000001), 0, true);
        assertThat(six).isNotNull().isNotSameAs(first);
        assertThat(table.size()).isEqualTo(3);
        assertThat(table.hosts()).isEqualTo(3);
        assertThat(counters.value("peer_allocs")).isEqualTo(3);
        for (int i = 3; i < 1000; i++) {
            peer(i);
        }
        assertThat(peer(1)).isSameAs(first);
        assertThat(table.size()).isEqualTo(1000);
    }

    // ---- collection

    @Test
    @Pins({"P-226", "P-243"})
    void idlePeerGoesAtTheThreshold() {
        peer(1);
        pass(config.peerIdleSecsMax * SECOND - 1);
        peer(2);
        peer(3);
        table.collect();
        assertThat(present()).as("one ns too young").containsExactly(1, 2, 3);
        pass(1);
        table.collect();
        assertThat(present()).containsExactly(2, 3);
        assertThat(table.hosts()).isEqualTo(2);
        assertThat(counters.value("peer_evictions")).isEqualTo(1);
    }

    @Test
    @Pins("P-227")
    void belowTheThresholdNothingGoes() {
        peer(1);
        peer(2);
        pass(10_000 * SECOND);
        table.collect();
        assertThat(present()).containsExactly(1, 2);
    }

    @Test
    @Pins("P-228")
    void withoutAnIdlePeerNothingGoes() {
        for (int i = 1; i <= 5; i++) {
            peer(i);
        }
        pass(50 * SECOND);
        table.collect();
        assertThat(present()).hasSize(5);
    }

    @Test
    @Pins({"P-222", "P-243"})
    void recentlyUsedPeersAreNeverChosen() {
        config.peerNetMax = 0;
        for (int i = 1; i <= 4; i++) {
            peer(i);
        }
        pass(config.peerIdleSecsMin * SECOND - 1);
        table.collect();
        assertThat(present()).containsExactly(1, 2, 3, 4);
        peer(3);
        // A peer whose access time lies in the future is not idle either.
        peer(4).accessNs = turn.nowNs + 100 * SECOND;
        pass(1);
        table.collect();
        assertThat(present()).containsExactly(3, 4);
    }

    @Test
    @Pins("P-223")
    void betweenTheIdleLimitsPeersGoOnlyBeyondTheMaximumNumber() {
        for (int i = 1; i <= 4; i++) {
            peer(i);
        }
        pass(60 * SECOND);
        config.peerNetMax = 4;
        table.collect();
        assertThat(present()).hasSize(4);
        config.peerNetMax = 3;
        table.collect();
        assertThat(present()).isEmpty();
    }

    @Test
    @Pins({"P-220", "P-225"})
    void idlestGoFirstAndAtMostFiveAtATime() {
        for (int number : new int[] {4, 1, 7, 3, 8, 2, 6, 5}) {
            peer(number);
        }
        for (int number = 1; number <= 8; number++) {
            pass(SECOND);
            peer(number);
        }
        pass(config.peerIdleSecsMax * SECOND);
        table.collect();
        assertThat(present()).as("longest idle are those used first").containsExactly(6, 7, 8);
    }

    @Test
    @Pins("P-221")
    void scanGoesRoundTheTableTenAtATime() {
        for (int i = 0; i < 25; i++) {
            peer(i);
        }
        pass(config.peerIdleSecsMin * SECOND);
        // All but one are in use again; it is found within three scans of ten, wherever the scan stands.
        for (int target = 0; target < 25; target++) {
            Peer idle = table.get(target);
            int number = (int) idle.lo & 0xFFFF;
            config.peerIdleSecsMin = 1;
            config.peerIdleSecsMax = 1;
            pass(SECOND);
            for (int i = 0; i < 25; i++) {
                if (i != target) {
                    table.get(i).accessNs = turn.nowNs;
                }
            }
            table.collect();
            table.collect();
            table.collect();
            assertThat(present()).doesNotContain(number).hasSize(24);
            peer(number);
        }
    }

    @Test
    @Pins("P-224")
    void peerSeenTwiceInAScanIsChosenOnce() {
        for (int i = 1; i <= 3; i++) {
            peer(i);
        }
        pass(config.peerIdleSecsMax * SECOND);
        peer(2);
        peer(3);
        table.collect();
        assertThat(present()).containsExactly(2, 3);
        assertThat(counters.value("peer_evictions")).isEqualTo(1);
        assertThat(table.hosts()).isEqualTo(2);
    }

    /** The module only unlinks such peers; here they stay, so that nothing is lost. */
    @Test
    void peersWithRpcsOrAcksStay() {
        peer(1).rpcs = 1;
        peer(2).acks = 1;
        peer(3);
        pass(1_000 * SECOND);
        table.collect();
        assertThat(present()).containsExactly(1, 2);
    }

    @Test
    void fullTableMakesRoomByItsIdlestOrRefuses() {
        config.maxPeers = 3;
        for (int i = 1; i <= 3; i++) {
            peer(i);
            pass(SECOND);
        }
        peer(1);
        peer(4);
        assertThat(present()).containsExactly(1, 3, 4);
        for (int i = 0; i < 3; i++) {
            table.get(i).rpcs = 1;
        }
        assertThat(table.findOrCreate(0, 0, Address.mappedLo(5), 0, true)).isNull();
        assertThat(counters.value("peer_table_full")).isEqualTo(1);
    }

    /** What is buffered for an evicted peer is lost to new RPCs, and they begin as with a stranger (spec protocol 8 item 6). */
    @Test
    void evictedPeerIsAStrangerAgain() {
        config.peerGcThreshold = 1;
        config.peerIdleSecsMin = 0;
        config.peerIdleSecsMax = 1;
        Rig rig = new Rig(config);
        rig.node.receive(rig.peer.cutoffs(1, 9, 0, 0, 0, Integer.MAX_VALUE, 0, 0, 0, 0));
        long id = rig.requestSent(100);
        rig.node.engine.forget(id, rig.node.nowNs);
        rig.request(100);
        Sent packet = rig.node.send().getFirst();
        assertThat(packet.data().cutoffVersion()).isEqualTo(9);
        rig.node.engine.forget(packet.id(), rig.node.nowNs);
        rig.node.pass(2 * SECOND);
        assertThat(rig.node.engine.peerCount()).isZero();
        rig.request(100);
        assertThat(rig.node.send().getFirst().data().cutoffVersion()).isZero();
    }

    /** Acks that never leave by themselves keep no peer: NEED_ACK asks for them (spec protocol 8 item 6). */
    @Test
    void bufferedAcksThatWaitForDataKeepNoPeerWhenTheTableIsFull() {
        Config config = Rig.config();
        config.maxPeers = 8;
        Rig rig = new Rig(config);
        for (int i = 0; i < 20; i++) {
            Injector peer = rig.peer("10.0.9." + i);
            long id = rig.node.request(rig.client, peer.peered(), 100);
            assertThat(id).as("call %d", i).isPositive();
            rig.node.send();
            peer.data(id ^ 1, 100).go();
            rig.node.take(rig.client);
        }
        assertThat(rig.node.engine.peerCount()).isLessThanOrEqualTo(8);
    }
}
