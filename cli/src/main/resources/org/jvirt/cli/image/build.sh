# Makes /dev/vda1 a bootable Debian system from the packages on /dev/vdb. Runs in busybox, as the guest's root.
#
# /build/plan: a line per package in the order of installation: name, file, offset of data.tar, essential|further.

TARGET=/target
uuid=$(cat /build/uuid)
export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true
export LC_ALL=C LANG=C

say() { echo "@jvirt $*"; }

# What the packages of a merged-/usr system expect to find; see usrmerge(7) of Debian.
merged_usr() {
    for directory in bin sbin lib lib64; do
        mkdir -p "$1/usr/$directory"
        ln -s "usr/$directory" "$1/$directory"
    done
}

# extract FILE OFFSET DIRECTORY: a package's files, without its scripts.
extract() { tail -c "+$(($2 + 1))" "/packages/$1" | tar -x -f - -C "$3"; }

# of KIND: the packages' files, as seen below TARGET.
of() { awk -v "kind=$1" '$4 == kind { print "/run/packages/" $2 }' /build/plan; }

# By way of env, because busybox would take a program of its own instead of the system's.
in_target() { chroot "$TARGET" /usr/bin/env "$@"; }

say 'Making the file system'
mkdir -p /packages /tools "$TARGET"
mount -t iso9660 -o ro /dev/vdb /packages
merged_usr /tools
mkdir -p /tools/dev /tools/proc
while read -r name file offset _; do
    case $name in
    e2fsprogs | libc6 | libcom-err2* | libext2fs2* | libss2* | libblkid1 | libuuid1) extract "$file" "$offset" /tools ;;
    esac
done < /build/plan
mount --bind /dev /tools/dev
mount --bind /proc /tools/proc
chroot /tools /sbin/mke2fs -q -F -t ext4 -L root -U "$uuid" -E assume_storage_prezeroed=1 /dev/vda1
umount /tools/dev /tools/proc
rm -rf /tools
# Nothing here outlives a failure, so nothing needs to reach the disk in order.
mount -t ext4 -o barrier=0,noatime /dev/vda1 "$TARGET"

say 'Unpacking the essential packages'
merged_usr "$TARGET"
while read -r _ file offset kind; do
    [ "$kind" != essential ] || extract "$file" "$offset" "$TARGET"
done < /build/plan
cp "$TARGET/usr/share/base-passwd/passwd.master" "$TARGET/etc/passwd"
cp "$TARGET/usr/share/base-passwd/group.master" "$TARGET/etc/group"
mkdir -p "$TARGET/var/lib/dpkg/info" "$TARGET/var/lib/dpkg/updates" "$TARGET/var/lib/dpkg/triggers"
: > "$TARGET/var/lib/dpkg/status"
: > "$TARGET/var/lib/dpkg/available"
echo amd64 > "$TARGET/var/lib/dpkg/arch"
mkdir -p "$TARGET/proc" "$TARGET/sys" "$TARGET/dev" "$TARGET/run"
mount --bind /dev "$TARGET/dev"
mount --bind /dev/pts "$TARGET/dev/pts"
mount --bind /proc "$TARGET/proc"
mount --bind /sys "$TARGET/sys"
mount -t tmpfs run "$TARGET/run"
mkdir "$TARGET/run/packages"
mount --bind /packages "$TARGET/run/packages"
mkdir -p /dev/disk/by-uuid
ln -s ../../vda1 "/dev/disk/by-uuid/$uuid"

# Services start when the system boots, not now.
printf '#!/bin/sh\nexit 101\n' > "$TARGET/usr/sbin/policy-rc.d"
chmod 755 "$TARGET/usr/sbin/policy-rc.d"
cat /build/hostname > "$TARGET/etc/hostname"
printf '127.0.0.1\tlocalhost\n127.0.1.1\t%s\n::1\tlocalhost ip6-localhost ip6-loopback\n' "$(cat /build/hostname)" \
    > "$TARGET/etc/hosts"
printf 'UUID=%s / ext4 errors=remount-ro 0 1\n' "$uuid" > "$TARGET/etc/fstab"

say 'Installing the essential packages'
# They need one another: dpkg is told to go on where an order does not exist.
in_target dpkg --force-depends --force-unsafe-io --force-confold --install $(of essential)

say 'Installing the further packages'
mkdir -p "$TARGET/etc/default/grub.d" "$TARGET/etc/initramfs-tools/conf.d"
cat > "$TARGET/etc/default/grub.d/serial.cfg" << 'EOF'
# The boot menu is on the first serial line, the console there and on the screen.
GRUB_TIMEOUT=1
GRUB_CMDLINE_LINUX_DEFAULT="quiet"
GRUB_CMDLINE_LINUX="console=tty0 console=ttyS0,115200"
GRUB_TERMINAL="serial"
GRUB_SERIAL_COMMAND="serial --unit=0 --speed=115200"
GRUB_DISABLE_OS_PROBER=true
EOF
# The initial RAM disk holds what virtual machines boot from, not every driver: smaller, and many times faster made.
echo 'MODULES=list' > "$TARGET/etc/initramfs-tools/conf.d/virtual-disks"
cat > "$TARGET/etc/initramfs-tools/modules" << 'EOF'
virtio_pci
virtio_blk
virtio_scsi
sd_mod
ahci
ata_piix
nvme
ext4
EOF
# Made once, with the kernel, and not again for each package that could change it.
echo 'update_initramfs=no' > "$TARGET/etc/initramfs-tools/update-initramfs.conf"
in_target debconf-set-selections << 'EOF'
grub-pc grub-pc/install_devices multiselect /dev/vda
grub-pc grub-pc/install_devices_empty boolean false
EOF
in_target dpkg --force-depends --force-unsafe-io --force-confold --unpack $(of further)
in_target dpkg --force-unsafe-io --force-confold --configure --pending

say 'Making the disk bootable'
echo 'update_initramfs=yes' > "$TARGET/etc/initramfs-tools/update-initramfs.conf"
[ -s "$TARGET/boot/grub/i386-pc/core.img" ] || in_target grub-install --target=i386-pc /dev/vda
[ -s "$TARGET/boot/grub/grub.cfg" ] || in_target update-grub
grep -q "root=UUID=$uuid" "$TARGET/boot/grub/grub.cfg"

say 'Setting up the system'
mkdir -p "$TARGET/etc/systemd/network"
cat > "$TARGET/etc/systemd/network/80-dhcp.network" << 'EOF'
[Match]
Type=ether

[Network]
DHCP=yes
EOF
in_target systemctl enable systemd-networkd serial-getty@ttyS0.service
cat /build/sources.list > "$TARGET/etc/apt/sources.list"
[ ! -s /build/passwords ] || in_target chpasswd < /build/passwords
if [ -s /build/authorized_keys ]; then
    mkdir -p "$TARGET/root/.ssh"
    chmod 700 "$TARGET/root/.ssh"
    cat /build/authorized_keys > "$TARGET/root/.ssh/authorized_keys"
    chmod 600 "$TARGET/root/.ssh/authorized_keys"
fi
rm "$TARGET/usr/sbin/policy-rc.d"

say 'Writing the disk'
umount "$TARGET/run/packages" "$TARGET/run" "$TARGET/sys" "$TARGET/proc" "$TARGET/dev/pts" "$TARGET/dev"
umount "$TARGET"
