# Sourced by build, jvirt and .ci/run. Sets JAVA_HOME to a JDK of version 25 or newer, or explains how to get one.
# Looks at $JAVA_HOME, the `java` on PATH, then the usual places of Linux distributions and SDKMAN.

readonly JVIRT_MIN_JDK=25

# Sets `version` to the feature version of the JDK in directory $1, from its `release` file; 0 if it is none. Starts no
# process: each would cost a start of jvirt some milliseconds.
jdk_version() {
  local line
  version=0
  if [ -x "$1/bin/java" ] && [ -r "$1/release" ]; then
    while IFS= read -r line; do
      case $line in
        JAVA_VERSION=*)
          version=${line#JAVA_VERSION=}
          version=${version//\"/}
          version=${version%%[!0-9]*}
          version=${version:-0}
          break
          ;;
      esac
    done < "$1/release"
  fi
}

# find_jdk [javac]: exports JAVA_HOME; with `javac`, only a JDK that has the compiler will do.
find_jdk() {
  local need=bin/${1:-java} on_path='' version=0 home
  jdk_version "${JAVA_HOME:-}"
  if [ "$version" -ge "$JVIRT_MIN_JDK" ] && [ -x "$JAVA_HOME/$need" ]; then
    export JAVA_HOME
    return 0
  fi
  if hash java 2> /dev/null; then
    on_path=$(readlink -f "${BASH_CMDS[java]}")
    on_path=${on_path%/bin/java}
  fi
  for home in "$on_path" /usr/lib/jvm/* /opt/java/* "${HOME:-}"/.sdkman/candidates/java/*; do
    if [ -n "$home" ] && [ -x "$home/$need" ]; then
      jdk_version "$home"
      if [ "$version" -ge "$JVIRT_MIN_JDK" ]; then
        export JAVA_HOME=$home
        return 0
      fi
    fi
  done
  {
    echo "No JDK $JVIRT_MIN_JDK or newer found (looked at JAVA_HOME, PATH, /usr/lib/jvm, /opt/java, ~/.sdkman)."
    jdk_version "${JAVA_HOME:-}"
    [ -z "${JAVA_HOME:-}" ] || echo "JAVA_HOME is $JAVA_HOME, version $version."
    echo "Install one of:"
    echo "  Debian 13 and newer, Ubuntu:  apt-get install openjdk-$JVIRT_MIN_JDK-jdk-headless"
    echo "  any Debian, with Eclipse Adoptium's package source:  apt-get install temurin-$JVIRT_MIN_JDK-jdk"
    echo "or unpack a JDK anywhere and set JAVA_HOME to its directory."
  } >&2
  return 1
}
