package io.homa4j.grpc;

/**
 * What is on the wire: the layout of requests and replies. Numbers are big-endian.
 *
 * <pre>
 * request  0 version  1 kind  2 session (8)
 *   HELLO    10 window (8)  18 length of the text (2)  20 the address the client dialled, text
 *   STREAM   10 stream (4)  14 sequence (4)  18 limit (8)  26 records
 *   LISTEN, PING, BYE  nothing more
 * reply    0 version  1 kind
 *   WELCOME  2 session (8)  10 window (8)  18 lease ms (4)  22 length (2)  24 the client's address as the server sees it, text
 *   STREAM   2 sequence (4)  6 limit (8)  14 records
 *   others   nothing more
 * record   0 type  1 length (4)  5 body
 * </pre>
 *
 * <p><i>Sequence</i> counts the messages of one stream and direction that have records, from 0; messages without records have none
 * (-1). <i>Limit</i> is how many bytes of DATA, counted from the stream's beginning, the sender of the limit is ready to take; it never
 * shrinks. The session of a HELLO is 0; the server chooses it, so who uses it has received the WELCOME.
 */
final class Frames {
    static final int VERSION = 1;

    // Kinds of requests.
    static final int HELLO = 1;
    static final int STREAM = 2;
    /** Held by the server until it has something to say about the session; the newest one counts. */
    static final int LISTEN = 3;

    static final int PING = 4;
    /** The client ends the session and whatever is open in it. */
    static final int BYE = 5;

    // Kinds of replies, beside STREAM.
    static final int WELCOME = 1;
    /** Nothing to say. */
    static final int EMPTY = 3;
    /** The server takes no new streams in this session; open ones go on. */
    static final int GOAWAY = 4;
    /** The stream was not begun and nobody has seen it: it is safe to try again. */
    static final int REFUSED = 5;
    /** The server does not know the session, or has ended it with all its streams. */
    static final int NO_SESSION = 6;
    /** The stream is over at the server. */
    static final int GONE = 7;
    /** The server does not speak this version. */
    static final int BAD_VERSION = 8;

    // Types of records.
    static final int HEADERS = 1;
    static final int DATA = 2;
    /** The server's last word: status and metadata. */
    static final int TRAILERS = 3;
    /** The client's messages are over. */
    static final int END = 4;
    /** The sender gives the stream up; counts whatever its sequence. */
    static final int CANCEL = 5;

    static final int SESSION_AT = 2;
    static final int STREAM_AT = 10;
    static final int REQUEST_SEQUENCE_AT = 14;
    static final int REQUEST_LIMIT_AT = 18;
    static final int REQUEST_RECORDS_AT = 26;
    static final int REPLY_SEQUENCE_AT = 2;
    static final int REPLY_LIMIT_AT = 6;
    static final int REPLY_RECORDS_AT = 14;
    static final int RECORD_HEADER_BYTES = 5;
    static final int NO_SEQUENCE = -1;

    /** Bytes of the longest Homa message. */
    static final int MAX_MESSAGE_BYTES = 1_000_000;
    /** Most DATA bytes of one message that carries nothing else. */
    static final int MAX_PIECE_BYTES = MAX_MESSAGE_BYTES - REQUEST_RECORDS_AT - RECORD_HEADER_BYTES;
    /** Most bytes of metadata that can be configured: a message must hold them with room to spare. */
    static final int MAX_METADATA_BYTES = 500_000;

    private Frames() {}
}
