# What `./build bench disks` runs in every guest alike: fio against the disk /dev/vdb, which ends as it began but for its
# content. /mnt holds fio and its libraries. One line of fio's terse format (version 3) for each job.
#
# disks.sh SECONDS

job() {
    name=$1
    shift
    chroot /mnt /usr/bin/fio --name="$name" --filename=/dev/vdb --direct=1 --ioengine=libaio --randrepeat=1 \
        --norandommap --minimal --terse-version=3 "$@"
}

# The first pass writes the whole disk, so that all later ones find their clusters.
job fill --rw=write --bs=1M --iodepth=1
for job in "write-1M write 1M 1" "read-1M read 1M 1" \
    "randread-4k-1 randread 4k 1" "randread-4k-16 randread 4k 16" \
    "randwrite-4k-1 randwrite 4k 1" "randwrite-4k-16 randwrite 4k 16"; do
    set -- "$1" $job
    job "$2" --rw="$3" --bs="$4" --iodepth="$5" --time_based --runtime="$1" --ramp_time=2
done
