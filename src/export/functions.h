static int @broken(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (x[i] != x[i])
            return 1;
    return 0;
}

static void @unknown(float *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = NAN;
}

static void @copy(const float *x, float *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i];
}

static void @constant(const float *row, float *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = row[i];
}

static void @exponential(float *y, size_t n, float shift)
{
    for (size_t i = 0; i < n; i++)
        y[i] = expf(y[i] + shift);
}

static void @spread(const float *weight, const float *x, float *y, size_t n, size_t k, float least)
{
    for (size_t j = 0; j < k; j++) {
        float sum = least;
        for (size_t i = 0; i < n; i++)
            sum += x[i] * x[i] * weight[i * k + j];
        y[j] = sqrtf(sum);
    }
}

static void @normalise(const float *mean, const float *scale, float *x, size_t n, float clip)
{
    for (size_t i = 0; i < n; i++) {
        float y = (x[i] - mean[i]) * scale[i];
        x[i] = y < -clip ? -clip : y > clip ? clip : y;
    }
}

static void @scale(float *x, size_t n, float factor)
{
    for (size_t i = 0; i < n; i++)
        x[i] *= factor;
}

static void @linear(const float *weight, const float *bias, const float *x, float *y, size_t inputs, size_t outputs)
{
    for (size_t j = 0; j < outputs; j++) {
        float sum = 0.0f;
        for (size_t i = 0; i < inputs; i++)
            sum += weight[j * inputs + i] * x[i];
        y[j] = sum + bias[j];
    }
}

static void @layer_norm(float *x, size_t n, float eps)
{
    float mean = 0.0f, variance = 0.0f;
    for (size_t i = 0; i < n; i++)
        mean += x[i];
    mean /= (float)n;
    for (size_t i = 0; i < n; i++) {
        x[i] -= mean;
        variance += x[i] * x[i];
    }
    float factor = 1.0f / sqrtf(variance / (float)n + eps);
    for (size_t i = 0; i < n; i++)
        x[i] *= factor;
}

static void @affine(const float *gain, const float *bias, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = x[i] * gain[i] + bias[i];
}

static float @sigmoid(float x)
{
    return 1.0f / (1.0f + expf(-x));
}

static void @tanh_all(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = tanhf(x[i]);
}

static void @relu_all(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = x[i] < 0.0f ? 0.0f : x[i];
}

static void @leak_all(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = x[i] > 0.0f ? x[i] : 0.01f * x[i];
}

static void @silu_all(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] *= @sigmoid(x[i]);
}

static void @gelu_all(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] *= 0.5f * (1.0f + erff(x[i] * 0.70710678f));
}

static void @filters(const float *weight, const float *bias, const float *x, float *y, size_t height, size_t width, size_t channels, size_t side, size_t stride, size_t padding, size_t filters)
{
    size_t rows = (height + 2 * padding - side) / stride + 1, columns = (width + 2 * padding - side) / stride + 1;
    for (size_t place = 0; place < rows * columns; place++) {
        size_t top = place / columns * stride, left = place % columns * stride;
        for (size_t f = 0; f < filters; f++) {
            float sum = 0.0f;
            for (size_t r = 0; r < side; r++)
                for (size_t c = 0; c < side; c++) {
                    if (top + r < padding || top + r >= height + padding || left + c < padding || left + c >= width + padding)
                        continue;
                    const float *pixel = x + ((top + r - padding) * width + left + c - padding) * channels;
                    const float *own = weight + ((f * side + r) * side + c) * channels;
                    for (size_t i = 0; i < channels; i++)
                        sum += own[i] * pixel[i];
                }
            y[place * filters + f] = sum + bias[f];
        }
    }
}

static void @pool(const float *x, float *y, size_t height, size_t width, size_t channels, size_t side, size_t stride, size_t padding)
{
    size_t rows = (height + 2 * padding - side) / stride + 1, columns = (width + 2 * padding - side) / stride + 1;
    for (size_t place = 0; place < rows * columns; place++) {
        size_t top = place / columns * stride, left = place % columns * stride;
        for (size_t i = 0; i < channels; i++) {
            float most = -INFINITY;
            for (size_t r = 0; r < side; r++)
                for (size_t c = 0; c < side; c++) {
                    if (top + r < padding || top + r >= height + padding || left + c < padding || left + c >= width + padding)
                        continue;
                    float pixel = x[((top + r - padding) * width + left + c - padding) * channels + i];
                    most = pixel > most || pixel != pixel ? pixel : most;
                }
            y[place * channels + i] = most;
        }
    }
}

static void @add(const float *x, float *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

static void @gru(const float *x, const float *m, float *memory, size_t units)
{
    for (size_t i = 0; i < units; i++) {
        float reset = @sigmoid(x[i] + m[i]);
        float update = @sigmoid(x[units + i] + m[units + i]);
        float fresh = tanhf(x[2 * units + i] + reset * m[2 * units + i]);
        memory[i] = fresh + update * (memory[i] - fresh);
    }
}

static void @lstm(const float *x, const float *m, float *memory, size_t units)
{
    for (size_t i = 0; i < units; i++) {
        float input = @sigmoid(x[i] + m[i]);
        float forget = @sigmoid(x[units + i] + m[units + i]);
        float cell = tanhf(x[2 * units + i] + m[2 * units + i]);
        float output = @sigmoid(x[3 * units + i] + m[3 * units + i]);
        memory[units + i] = forget * memory[units + i] + input * cell;
        memory[i] = output * tanhf(memory[units + i]);
    }
}
