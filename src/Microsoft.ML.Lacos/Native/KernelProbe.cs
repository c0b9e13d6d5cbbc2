namespace Microsoft.ML.Lacos.Native;

/// <summary>Tries a kernel set instead of asking for its description.</summary>
internal static unsafe class KernelProbe
{
    /// <summary>Whether the library hands the set out: built, supported, and its self-check passed.</summary>
    public static bool CanRun(string isa)
    {
        sbyte code = 1;
        float absmax = 1;
        fixed (byte* name = NullTerminated(isa))
        {
            int status = NativeMethods.lacos_int8_linear_create(1, 1, &code, &absmax, 1, name, out NativeInt8LinearHandle linear);
            using (linear)
            {
                return status == 0;
            }
        }
    }

    /// <summary>Measures what the set's multiply-add instruction reaches from registers on one thread.</summary>
    /// <returns>Operations a second, 2 for each multiply-add; <see langword="null"/> where the set cannot run or there is no such loop for it.</returns>
    public static double? Int8Peak(string isa, double seconds)
    {
        double operations;
        fixed (byte* name = NullTerminated(isa))
        {
            return NativeMethods.lacos_measure_int8_peak(name, 1, seconds, &operations) == 0 ? operations : null;
        }
    }

    private static byte[] NullTerminated(string text) => System.Text.Encoding.UTF8.GetBytes(text + '\0');
}
