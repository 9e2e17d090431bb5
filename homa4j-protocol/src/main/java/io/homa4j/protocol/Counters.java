package io.homa4j.protocol;

/**
 * What the engine counts, under the module's names where it has them (spec metrics), with homa4j's own behind. Values
 * only grow; users take differences. Written by the engine's owner; others may read them racily.
 */
public final class Counters {
    // Messages by size: 64 classes of 64 bytes, then 124 of 1024 bytes (spec metrics 3).
    private static final int SMALL_CLASSES = 64;
    private static final int CLASSES = SMALL_CLASSES + 124;

    /** Messages above the classes. */
    static final int LARGE_MSG_COUNT = CLASSES;

    static final int LARGE_MSG_BYTES = CLASSES + 1;
    static final int CLIENT_REQUESTS_STARTED = CLASSES + 2;
    static final int CLIENT_REQUEST_BYTES_STARTED = CLASSES + 3;
    static final int CLIENT_REQUESTS_DONE = CLASSES + 4;
    static final int CLIENT_REQUEST_BYTES_DONE = CLASSES + 5;
    static final int CLIENT_RESPONSES_STARTED = CLASSES + 6;
    static final int CLIENT_RESPONSE_BYTES_STARTED = CLASSES + 7;
    static final int CLIENT_RESPONSES_DONE = CLASSES + 8;
    static final int CLIENT_RESPONSE_BYTES_DONE = CLASSES + 9;
    static final int SERVER_REQUESTS_STARTED = CLASSES + 10;
    static final int SERVER_REQUEST_BYTES_STARTED = CLASSES + 11;
    static final int SERVER_REQUESTS_DONE = CLASSES + 12;
    static final int SERVER_REQUEST_BYTES_DONE = CLASSES + 13;
    static final int SERVER_RESPONSES_STARTED = CLASSES + 14;
    static final int SERVER_RESPONSE_BYTES_STARTED = CLASSES + 15;
    static final int SERVER_RESPONSES_DONE = CLASSES + 16;
    static final int SERVER_RESPONSE_BYTES_DONE = CLASSES + 17;
    static final int SENT_MSG_BYTES = CLASSES + 18;
    static final int REQUESTS_RECEIVED = CLASSES + 19;
    static final int RESPONSES_RECEIVED = CLASSES + 20;
    static final int GAPS_CREATED = CLASSES + 21;
    static final int PACKETS_SENT_DATA = CLASSES + 22;
    static final int PACKETS_SENT_GRANT = CLASSES + 23;
    static final int PACKETS_SENT_RESEND = CLASSES + 24;
    static final int PACKETS_SENT_RPC_UNKNOWN = CLASSES + 25;
    static final int PACKETS_SENT_BUSY = CLASSES + 26;
    static final int PACKETS_SENT_CUTOFFS = CLASSES + 27;
    static final int PACKETS_SENT_FREEZE = CLASSES + 28;
    static final int PACKETS_SENT_NEED_ACK = CLASSES + 29;
    static final int PACKETS_SENT_ACK = CLASSES + 30;
    static final int PACKETS_RCVD_DATA = CLASSES + 31;
    static final int PACKETS_RCVD_GRANT = CLASSES + 32;
    static final int PACKETS_RCVD_RESEND = CLASSES + 33;
    static final int PACKETS_RCVD_RPC_UNKNOWN = CLASSES + 34;
    static final int PACKETS_RCVD_BUSY = CLASSES + 35;
    static final int PACKETS_RCVD_CUTOFFS = CLASSES + 36;
    static final int PACKETS_RCVD_FREEZE = CLASSES + 37;
    static final int PACKETS_RCVD_NEED_ACK = CLASSES + 38;
    static final int PACKETS_RCVD_ACK = CLASSES + 39;
    static final int PRIORITY0_BYTES = CLASSES + 40;
    static final int PRIORITY1_BYTES = CLASSES + 41;
    static final int PRIORITY2_BYTES = CLASSES + 42;
    static final int PRIORITY3_BYTES = CLASSES + 43;
    static final int PRIORITY4_BYTES = CLASSES + 44;
    static final int PRIORITY5_BYTES = CLASSES + 45;
    static final int PRIORITY6_BYTES = CLASSES + 46;
    static final int PRIORITY7_BYTES = CLASSES + 47;
    static final int PRIORITY0_PACKETS = CLASSES + 48;
    static final int PRIORITY1_PACKETS = CLASSES + 49;
    static final int PRIORITY2_PACKETS = CLASSES + 50;
    static final int PRIORITY3_PACKETS = CLASSES + 51;
    static final int PRIORITY4_PACKETS = CLASSES + 52;
    static final int PRIORITY5_PACKETS = CLASSES + 53;
    static final int PRIORITY6_PACKETS = CLASSES + 54;
    static final int PRIORITY7_PACKETS = CLASSES + 55;
    static final int RESENT_PACKETS = CLASSES + 56;
    static final int RESENT_PACKETS_USED = CLASSES + 57;
    static final int RESENT_DISCARDS = CLASSES + 58;
    static final int PACKET_DISCARDS = CLASSES + 59;
    static final int UNKNOWN_RPCS = CLASSES + 60;
    static final int SERVER_CANT_CREATE_RPCS = CLASSES + 61;
    static final int UNKNOWN_PACKET_TYPES = CLASSES + 62;
    static final int SHORT_PACKETS = CLASSES + 63;
    static final int DROPPED_DATA_NO_BUFS = CLASSES + 64;
    static final int ACK_OVERFLOWS = CLASSES + 65;
    static final int IGNORED_NEED_ACKS = CLASSES + 66;
    static final int RPC_TIMEOUTS = CLASSES + 67;
    static final int SERVER_RPC_DISCARDS = CLASSES + 68;
    static final int SERVER_RPCS_UNKNOWN = CLASSES + 69;
    static final int BUFFER_ALLOC_FAILURES = CLASSES + 70;
    static final int PEER_ALLOCS = CLASSES + 71;
    static final int NIC_BACKLOG_CYCLES = CLASSES + 72;
    static final int PACER_HOMA_PACKETS = CLASSES + 73;
    static final int PACER_HOMA_BYTES = CLASSES + 74;
    static final int PACER_FIFO_BYTES = CLASSES + 75;
    static final int GRANT_CHECK_CALLS = CLASSES + 76;
    static final int NEEDY_GRANTS = CLASSES + 77;
    static final int FIFO_GRANT_BYTES = CLASSES + 78;
    static final int GRANTABLE_RPCS_INTEGRAL = CLASSES + 79;
    static final int WRONG_PORT = CLASSES + 80;
    static final int WRONG_SOURCE = CLASSES + 81;
    static final int ILLEGAL_LENGTHS = CLASSES + 82;
    static final int DUPLICATE_REQUESTS = CLASSES + 83;
    static final int FINISHED_RPC_EVICTIONS = CLASSES + 84;
    static final int PEER_EVICTIONS = CLASSES + 85;
    static final int PEER_TABLE_FULL = CLASSES + 86;
    static final int RPC_TABLE_FULL = CLASSES + 87;
    static final int UNPROVEN_REFUSED = CLASSES + 88;
    static final int PROOF_WAITS = CLASSES + 89;
    static final int PROOFS = CLASSES + 90;
    static final int PROOF_BUDGET_DROPS = CLASSES + 91;
    static final int UNKNOWN_ANSWERS_SUPPRESSED = CLASSES + 92;
    static final int CONTROL_QUEUE_DROPS = CLASSES + 93;
    static final int RESENDS_DEFERRED = CLASSES + 94;
    static final int RESENDS_SUPPRESSED = CLASSES + 95;
    static final int GAPS_REFUSED = CLASSES + 96;
    static final int PARTIAL_DATA = CLASSES + 97;
    static final int RECEIVE_SPACE_FAILURES = CLASSES + 98;
    static final int RPC_RESTARTS = CLASSES + 99;
    static final int OUTCOME_UNKNOWN = CLASSES + 100;
    static final int MTU_REDUCTIONS = CLASSES + 101;
    static final int CUTOFFS_CHANGED = CLASSES + 102;
    static final int FREEZES = CLASSES + 103;
    static final int UNSENT_PACKETS = CLASSES + 104;
    static final int RETRANSMIT_QUEUE_DROPS = CLASSES + 105;
    static final int PROOF_GUESSES = CLASSES + 106;
    static final int HOST_REFUSED = CLASSES + 107;
    static final int INCAST_LIMITS = CLASSES + 108;
    static final int MTU_BLACK_HOLES = CLASSES + 109;
    static final int MTU_RAISES = CLASSES + 110;

    private static final int COUNT = CLASSES + 111;

    // Name and meaning of each counter behind the size classes, in the order of the constants.
    private static final String[][] NAMES = {
        {"large_msg_count", "messages above the size classes"},
        {"large_msg_bytes", "bytes in them"},
        {"client_requests_started", "requests handed over by the application"},
        {"client_request_bytes_started", "bytes in them"},
        {"client_requests_done", "requests sent completely, or ended"},
        {"client_request_bytes_done", "bytes in them"},
        {"client_responses_started", "responses with at least one packet received"},
        {"client_response_bytes_started", "bytes in them"},
        {"client_responses_done", "responses received completely, or given up"},
        {"client_response_bytes_done", "bytes in them"},
        {"server_requests_started", "requests with at least one packet received"},
        {"server_request_bytes_started", "bytes in them"},
        {"server_requests_done", "requests received completely, or given up"},
        {"server_request_bytes_done", "bytes in them"},
        {"server_responses_started", "responses handed over by the application"},
        {"server_response_bytes_started", "bytes in them"},
        {"server_responses_done", "responses sent completely, or ended"},
        {"server_response_bytes_done", "bytes in them"},
        {"sent_msg_bytes", "bytes in all outgoing messages"},
        {"requests_received", "server RPCs created"},
        {"responses_received", "responses of which the first packet has arrived"},
        {"gaps_created", "holes noticed because packets arrived out of order"},
        {"packets_sent_DATA", "DATA packets sent"},
        {"packets_sent_GRANT", "GRANT packets sent"},
        {"packets_sent_RESEND", "RESEND packets sent"},
        {"packets_sent_RPC_UNKNOWN", "RPC_UNKNOWN packets sent"},
        {"packets_sent_BUSY", "BUSY packets sent"},
        {"packets_sent_CUTOFFS", "CUTOFFS packets sent"},
        {"packets_sent_FREEZE", "FREEZE packets sent"},
        {"packets_sent_NEED_ACK", "NEED_ACK packets sent"},
        {"packets_sent_ACK", "ACK packets sent"},
        {"packets_rcvd_DATA", "DATA packets received"},
        {"packets_rcvd_GRANT", "GRANT packets received"},
        {"packets_rcvd_RESEND", "RESEND packets received"},
        {"packets_rcvd_RPC_UNKNOWN", "RPC_UNKNOWN packets received"},
        {"packets_rcvd_BUSY", "BUSY packets received"},
        {"packets_rcvd_CUTOFFS", "CUTOFFS packets received"},
        {"packets_rcvd_FREEZE", "FREEZE packets received"},
        {"packets_rcvd_NEED_ACK", "NEED_ACK packets received"},
        {"packets_rcvd_ACK", "ACK packets received"},
        {"priority0_bytes", "bytes sent at level 0, with headers"},
        {"priority1_bytes", "bytes sent at level 1, with headers"},
        {"priority2_bytes", "bytes sent at level 2, with headers"},
        {"priority3_bytes", "bytes sent at level 3, with headers"},
        {"priority4_bytes", "bytes sent at level 4, with headers"},
        {"priority5_bytes", "bytes sent at level 5, with headers"},
        {"priority6_bytes", "bytes sent at level 6, with headers"},
        {"priority7_bytes", "bytes sent at level 7, with headers"},
        {"priority0_packets", "packets sent at level 0"},
        {"priority1_packets", "packets sent at level 1"},
        {"priority2_packets", "packets sent at level 2"},
        {"priority3_packets", "packets sent at level 3"},
        {"priority4_packets", "packets sent at level 4"},
        {"priority5_packets", "packets sent at level 5"},
        {"priority6_packets", "packets sent at level 6"},
        {"priority7_packets", "packets sent at level 7"},
        {"resent_packets", "DATA packets sent because of RESENDs"},
        {"resent_packets_used", "retransmitted DATA packets that filled a hole"},
        {"resent_discards", "retransmitted DATA packets that were redundant"},
        {"packet_discards", "redundant first transmissions"},
        {"unknown_rpcs", "packets for RPCs not known that need no answer"},
        {"server_cant_create_rpcs", "request packets dropped since no RPC could be created"},
        {"unknown_packet_types", "packets of undefined type"},
        {"short_packets", "packets too short for their type"},
        {"dropped_data_no_bufs", "payload bytes dropped while the RPC waited for receive space"},
        {"ack_overflows", "ACK packets sent since the list of pending acks was full"},
        {"ignored_need_acks", "NEED_ACKs not answered with ACK because data are missing"},
        {"rpc_timeouts", "RPCs given up by the timer"},
        {"server_rpc_discards", "server RPCs dropped because of an error"},
        {"server_rpcs_unknown", "server RPCs dropped since the client said RPC_UNKNOWN"},
        {"buffer_alloc_failures", "attempts to get receive space that failed"},
        {"peer_allocs", "peer records created"},
        {"nic_backlog_cycles", "ns during which data waited because of the link"},
        {"pacer_homa_packets", "packets that left after having waited for the link"},
        {"pacer_homa_bytes", "bytes of them with headers"},
        {"pacer_fifo_bytes", "part of the data bytes chosen as the oldest message"},
        {"grant_check_calls", "checks for grants after a group of packets of one RPC"},
        {"needy_grants", "rounds in which a message waiting for headroom was served"},
        {"fifo_grant_bytes", "bytes granted to the oldest message"},
        {"grantable_rpcs_integral", "sum of grantable messages x ns"},
        {"wrong_port", "packets for ports nobody serves"},
        {"wrong_source", "packets whose source is not the server of the RPC"},
        {"illegal_lengths", "DATA packets with an impossible message length"},
        {"duplicate_requests", "DATA packets of requests that have ended already"},
        {"finished_rpc_evictions", "ended RPCs forgotten early because too many were remembered"},
        {"peer_evictions", "peer records removed"},
        {"peer_table_full", "peers not created because the table was full"},
        {"rpc_table_full", "RPCs not created because the table was full"},
        {"unproven_refused", "requests of unproven peers refused because of their share"},
        {"proof_waits", "responses that waited for proof of reachability"},
        {"proofs", "peers that have proved to receive at their address"},
        {"proof_budget_drops", "packets not sent to an unproven peer"},
        {"unknown_answers_suppressed", "answers to packets for unknown RPCs suppressed by their limit"},
        {"control_queue_drops", "control packets dropped because too many waited"},
        {"resends_deferred", "RESENDs moved to a later tick by the limit per peer"},
        {"resends_suppressed", "retransmissions suppressed since the bytes had just been sent"},
        {"gaps_refused", "DATA packets dropped since the message had too many holes"},
        {"partial_data", "DATA packets of which only part was new"},
        {"receive_space_failures", "RPCs given up since no receive space came free"},
        {"rpc_restarts", "requests sent again after RPC_UNKNOWN"},
        {"outcome_unknown", "RPCs failed since the server had forgotten them"},
        {"mtu_reductions", "times the path MTU towards a host was lowered"},
        {"cutoffs_changed", "times the table of unscheduled cutoffs was recomputed"},
        {"freezes", "FREEZE packets ignored"},
        {"unsent_packets", "packets taken back because the driver could not take them"},
        {"retransmit_queue_drops", "RESENDs ignored because too many ranges waited"},
        {"proof_guesses", "echoed versions not believed because too many wrong ones came before"},
        {"host_refused", "requests refused because their host holds its share of RPCs"},
        {"incast_limits", "DATA packets of requests that asked for less unscheduled response"},
        {"mtu_black_holes", "times it was lowered since full packets vanished in silence"},
        {"mtu_raises", "times a larger path MTU was found"},
    };

    private final long[] values = new long[COUNT];

    void add(int counter, long amount) {
        values[counter] += amount;
    }

    /** Counts an incoming message in its size class, by its whole length (spec metrics 3). */
    void message(int length) {
        int sizeClass = sizeClass(length);
        if (sizeClass >= 0) {
            values[sizeClass] += length;
        } else {
            values[LARGE_MSG_COUNT]++;
            values[LARGE_MSG_BYTES] += length;
        }
    }

    /** Size classes, in increasing order of length. */
    static int classes() {
        return CLASSES;
    }

    /** Longest message of the class, bytes. */
    static int classBound(int sizeClass) {
        return sizeClass < SMALL_CLASSES ? (sizeClass + 1) * 64 : 4096 + (sizeClass - SMALL_CLASSES + 1) * 1024;
    }

    /** Class of a length, -1 above the classes. Unlike the module's, a class ends exactly at its bound. */
    private static int sizeClass(int length) {
        if (length <= 4096) {
            return (length - 1) >>> 6;
        }
        return length <= 131_072 ? SMALL_CLASSES + ((length - 4097) >>> 10) : -1;
    }

    long get(int counter) {
        return values[counter];
    }

    /** Number of counters. */
    public int count() {
        return COUNT;
    }

    /** Name of a counter, 0 to {@link #count} - 1. */
    public String name(int counter) {
        return counter < CLASSES ? "msg_bytes_" + classBound(counter) : NAMES[counter - CLASSES][0];
    }

    /** Meaning of a counter in a few words. */
    public String description(int counter) {
        return counter < CLASSES
                ? "bytes in incoming messages of at most " + classBound(counter) + " bytes"
                : NAMES[counter - CLASSES][1];
    }

    /** Present value of a counter. */
    public long value(int counter) {
        return values[counter];
    }

    /**
     * Present value of the counter with this name.
     *
     * @throws IllegalArgumentException if there is none
     */
    public long value(String name) {
        for (int i = 0; i < COUNT; i++) {
            if (name(i).equals(name)) {
                return values[i];
            }
        }
        throw new IllegalArgumentException("no counter is called " + name);
    }

    /** All counters in the module's format: name in 30 columns, value in 20, description (S-398). */
    public String text() {
        StringBuilder text = new StringBuilder(COUNT * 90);
        for (int i = 0; i < COUNT; i++) {
            String name = name(i);
            String value = Long.toString(values[i]);
            text.append(name)
                    .repeat(' ', Math.max(0, 30 - name.length()))
                    .append(' ')
                    .repeat(' ', Math.max(0, 20 - value.length()))
                    .append(value)
                    .append(' ')
                    .append(description(i))
                    .append('\n');
        }
        return text.toString();
    }
}
