package io.homa4j.cli;

import java.util.ArrayList;
import java.util.List;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/** Round trips by size of the request, and those of short requests by the time at which they were due. */
final class LoadDetails {
    /** Requests of at most so many bytes are short. */
    static final int SHORT_BYTES = 1000;

    /** One part in a hundred is more than repeats of a run agree in; there are many of these histograms. */
    private static final int DIGITS = 2;

    /** By class of the workload; null where no message was of the class. */
    private final List<@Nullable Histogram> bySize = new ArrayList<>();

    private final List<Histogram> shortByInterval = new ArrayList<>();
    private final Histogram ofShort = new Histogram(3);

    void add(int size, int bytes, int interval, long rttNs) {
        bySize(size).recordValue(rttNs);
        if (bytes <= SHORT_BYTES) {
            ofShort.recordValue(rttNs);
            while (shortByInterval.size() <= interval) {
                shortByInterval.add(new Histogram(DIGITS));
            }
            shortByInterval.get(interval).recordValue(rttNs);
        }
    }

    /** Adds what another host measured with the same workload at the same time. */
    void add(LoadDetails other) {
        for (int size = 0; size < other.bySize.size(); size++) {
            Histogram theirs = other.bySize.get(size);
            if (theirs != null) {
                bySize(size).add(theirs);
            }
        }
        ofShort.add(other.ofShort);
        for (int interval = 0; interval < other.shortByInterval.size(); interval++) {
            while (shortByInterval.size() <= interval) {
                shortByInterval.add(new Histogram(DIGITS));
            }
            shortByInterval.get(interval).add(other.shortByInterval.get(interval));
        }
    }

    private Histogram bySize(int size) {
        while (bySize.size() <= size) {
            bySize.add(null);
        }
        Histogram histogram = bySize.get(size);
        if (histogram == null) {
            histogram = new Histogram(DIGITS);
            bySize.set(size, histogram);
        }
        return histogram;
    }

    /** Classes of the workload of which there were messages, or might have been. */
    int sizes() {
        return bySize.size();
    }

    /** Of a class of the workload; null if there were none. */
    @Nullable
    Histogram ofSize(int size) {
        return bySize.get(size);
    }

    void putSize(int size, Histogram histogram) {
        bySize(size).add(histogram);
    }

    /** Of all short requests, ns. */
    Histogram ofShort() {
        return ofShort;
    }

    /** Of short requests by {@link LoadPlan#intervalNs()} of the measuring time. */
    List<Histogram> shortByInterval() {
        return shortByInterval;
    }
}
